import { z } from 'zod';
import type { Graph, GraphNode, Initializer } from '../graph/graph';

/** Where columns (axis 1) or rows (axis 0) of tensors that stand side by side are taken to. */
export interface Taken {
  readonly axis: number;
  /** The place of each column or row among those of all sources. */
  readonly places: readonly number[];
}

/** A matrix, or a bias, as a graph holds it: a parameter, or put together from several by `Concat` and `Gather`. */
export interface HeldMatrix {
  /** Parameters, and zeros that belong to none. */
  readonly sources: readonly Initializer[];
  /** Absent of a parameter that is used as it is. */
  readonly taken?: Taken;
  /** The nodes that put it together, in the order in which they run. */
  readonly nodes: readonly GraphNode[];
}

/** Whether it holds a parameter, whose path is its name. */
export const isParameter = ({ name, values }: Initializer): boolean =>
  'parameter' in values && values.parameter === name;

const numbers = z.array(z.number());

/** Finds what values of a graph are held as; undefined of one that is computed otherwise. */
export function heldIn({ nodes, initializers }: Graph): (name: string) => HeldMatrix | undefined {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const held = new Map(initializers.map((own) => [own.name, own]));
  const axisOf = ({ attributes: { axis } }: GraphNode): number => (axis?.kind === 'int' ? axis.value : 0);
  const sourcesOf = (name: string, axis: number): Pick<HeldMatrix, 'sources' | 'nodes'> | undefined => {
    const own = held.get(name);
    if (own !== undefined) return { sources: [own], nodes: [] };
    const concat = makers.get(name);
    if (concat?.operator !== 'Concat' || axisOf(concat) !== axis) return undefined;
    const sources = concat.inputs.flatMap((input) => held.get(input) ?? []);
    return sources.length === concat.inputs.length ? { sources, nodes: [concat] } : undefined;
  };
  return (name) => {
    const own = held.get(name);
    if (own !== undefined) return isParameter(own) ? { sources: [own], nodes: [] } : undefined;
    const gather = makers.get(name);
    if (gather?.operator !== 'Gather') return undefined;
    const [from = '', by = ''] = gather.inputs;
    const found = sourcesOf(from, axisOf(gather));
    const indices = held.get(by)?.values;
    if (found?.sources.some(isParameter) !== true || indices === undefined || 'parameter' in indices)
      return undefined;
    const places = numbers.parse(Array.from(indices.numbers));
    return {
      sources: found.sources,
      taken: { axis: axisOf(gather), places },
      nodes: [...found.nodes, gather],
    };
  };
}

/** A matrix [rows, columns], row by row. */
export interface Block {
  readonly columns: number;
  readonly values: ArrayLike<number>;
}

export const blockOf = ({
  shape,
  values,
}: {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}): Block => ({
  columns: shape[1] ?? 1,
  values,
});

/** Blocks side by side, of which columns or rows are taken to their places, as the nodes do it. */
export function takenFrom(blocks: readonly Block[], { axis, places }: Taken): Float32Array {
  const extentOf = ({ columns, values }: Block): number => (axis === 1 ? columns : values.length / columns);
  const all = blocks.flatMap((block) => Array.from({ length: extentOf(block) }, (_, at) => ({ block, at })));
  const own = places.flatMap((place) => all[place] ?? []);
  if (own.length !== places.length) throw new RangeError(`expected ${places.length} places that are there`);
  const [{ columns = 1, values = [] } = {}] = blocks;
  if (axis === 0)
    return Float32Array.from(
      own.flatMap(({ block, at }) =>
        Array.from({ length: columns }, (_, column) => block.values[at * columns + column] ?? 0),
      ),
    );
  return Float32Array.from({ length: (values.length / columns) * own.length }, (_, at) => {
    const [row, from] = [Math.floor(at / own.length), own[at % own.length]];
    return from === undefined ? 0 : (from.block.values[row * from.block.columns + from.at] ?? 0);
  });
}
