import { type HostTensor, pathOfUse } from '@winnow/core';
import { type Graph, type GraphNode, type Initializer, int } from '../graph/graph';
import { type Block, type HeldMatrix, blockOf, heldIn, isParameter, takenFrom } from './held-matrix';
import { type QuantizedMatrix, biasCorrection, greatestTogether, quantizeColumns } from './matrix';
import type { Range } from './range';

/** The inputs of a linear map, as they were seen. */
export interface Calibrated {
  readonly range: Range;
  /** The mean of each of its columns. */
  readonly means: ArrayLike<number>;
}

type Read = (path: string) => Promise<HostTensor>;

/**
 * Puts whole numbers around the linear maps of a graph: weights are int8, a scale for each output, inputs uint8 of a range that was
 * seen, of a map that runs more than once of all that it saw; what rounding takes on average is added to the products (static quantisation, in the QDQ
 * form that ONNX Runtime fuses). Products of attention, norms and embeddings stay float32. A matrix that is put together from shared columns is
 * put together in whole numbers, so that each is stored once.
 * @param calibrated By the paths of the maps; one that is not named stays as it is.
 * @param read Fetches a parameter.
 * @param together Groups of matrices whose rows stand in one, by their paths: they have the same scales.
 */
export async function quantizeGraph(
  graph: Graph,
  calibrated: ReadonlyMap<string, Calibrated>,
  read: Read,
  together: readonly (readonly string[])[] = [],
): Promise<Graph> {
  const held = heldIn(graph);
  const rounding = roundingOf(read, together);
  const initializers = new Map(graph.initializers.map((own) => [own.name, own]));
  const nodes: GraphNode[] = [];
  const restoring = new Map<string, GraphNode>();
  const restored = new Map<string, string>();
  const inputs = new Map<string, WholeInput>();
  const madeUp = new Map<string, string>();
  for (const node of graph.nodes) {
    const [x = '', weight = ''] = node.inputs;
    const seen = node.operator === 'MatMul' ? calibrated.get(pathOfUse(node.name)) : undefined;
    const matrix = seen === undefined ? undefined : held(weight);
    if (seen === undefined || matrix === undefined) {
      nodes.push(node);
      continue;
    }
    const { blocks, scales, lost } = await rounding(matrix, seen.means);
    if (!restored.has(weight)) {
      for (const own of restorationOf(weight, matrix, { blocks, scales, initializers }))
        restoring.set(own.outputs[0] ?? '', own);
      restored.set(weight, `${weight}:restored`);
    }
    const input = inputs.get(x) ?? wholeInput(x, seen.range, nodes, initializers);
    inputs.set(x, input);
    nodes.push({ ...node, inputs: [input.name, weight] });
    const [product = ''] = node.outputs;
    const steps = scales.map((scale) => scale * input.scale);
    madeUp.set(product, makesUp({ product, name: node.name, lost, steps }, nodes, initializers));
  }
  // Whoever else reads a matrix, as tokens that merge read keys, reads what is restored.
  const readable = nodes.flatMap((node) => (node.outputs.some((own) => restoring.has(own)) ? [] : [node]));
  const own = new Set(madeUp.values());
  const others = readable.map((node) => ({
    ...node,
    inputs: node.inputs.map(
      (input) =>
        restored.get(input) ?? (own.has(node.outputs[0] ?? '') ? input : (madeUp.get(input) ?? input)),
    ),
  }));
  return { ...graph, nodes: [...restoring.values(), ...others], initializers: [...initializers.values()] };
}

/**
 * Adds to a product what rounding takes from it on average, in whole numbers of the product's own steps: runtimes make products in whole numbers
 * of a bias like this, and none of one in float32. @returns the name of the sum.
 */
function makesUp(
  {
    product,
    name,
    lost,
    steps,
  }: {
    readonly product: string;
    readonly name: string;
    readonly lost: Float32Array;
    readonly steps: Float32Array;
  },
  nodes: GraphNode[],
  initializers: Map<string, Initializer>,
): string {
  const [constant, scale] = [`constant.${name}.lost`, `constant.${name}.lost.scale`];
  const numbers = Int32Array.from(lost, (value, at) => Math.round(value / (steps[at] ?? 1)));
  initializers.set(constant, tensor(constant, 'int32', [numbers.length], numbers));
  initializers.set(scale, tensor(scale, 'float32', [steps.length], steps));
  const [restored, sum] = [`${name}:lost`, `${name}:made-up`];
  nodes.push(
    {
      operator: 'DequantizeLinear',
      name: restored,
      inputs: [constant, scale],
      outputs: [restored],
      attributes: { axis: int(0) },
    },
    { operator: 'Add', name: sum, inputs: [product, restored], outputs: [sum], attributes: {} },
  );
  return sum;
}

/** Rounds matrices, and tells what that takes from each output on average. */
function roundingOf(read: Read, together: readonly (readonly string[])[]) {
  const greatest = new Map<readonly string[], Float32Array>();
  const rounded = async (
    path: string,
  ): Promise<{ readonly values: HostTensor['values']; readonly whole: QuantizedMatrix }> => {
    const { values, shape } = await read(path);
    const group = together.find((own) => own.includes(path));
    if (group === undefined) return { values, whole: quantizeColumns(values, shape[1] ?? 1) };
    const most = greatest.get(group) ?? (await greatestTogether(group, read));
    greatest.set(group, most);
    return { values, whole: quantizeColumns(values, shape[1] ?? 1, most) };
  };
  return async ({ sources, taken }: HeldMatrix, means: ArrayLike<number>) => {
    const parts = [];
    for (const source of sources) {
      const { name, shape } = source;
      const size = shape.reduce((product, extent) => product * extent, 1);
      const none = new Float32Array(size);
      const own = isParameter(source)
        ? await rounded(name)
        : { values: none, whole: quantizeColumns(none, shape[1] ?? 1) };
      parts.push({ shape, ...own });
    }
    const blocks = parts.map(({ whole }) => whole.values);
    const joined = (own: readonly Block[]): ArrayLike<number> =>
      taken === undefined ? (own[0]?.values ?? []) : takenFrom(own, taken);
    const wholeBlocks = parts.map(({ shape, whole }) => blockOf({ shape, values: whole.values }));
    // Where rows stand together, all that are not zeros have the same scales.
    const ofParameter = parts.find((_, at) => {
      const source = sources[at];
      return source !== undefined && isParameter(source);
    });
    const scales =
      taken?.axis === 1
        ? takenFrom(
            parts.map(({ whole }) => ({ columns: whole.scales.length, values: whole.scales })),
            taken,
          )
        : (ofParameter?.whole.scales ?? new Float32Array());
    const real = joined(parts.map(blockOf));
    const lost = biasCorrection(real, { values: joined(wholeBlocks), scales }, means);
    return { blocks, scales, lost };
  };
}

/** The nodes that put a matrix together in whole numbers, and restore it. */
function restorationOf(
  weight: string,
  { sources, nodes }: HeldMatrix,
  {
    blocks,
    scales,
    initializers,
  }: {
    readonly blocks: readonly Int8Array[];
    readonly scales: Float32Array;
    readonly initializers: Map<string, Initializer>;
  },
): GraphNode[] {
  const renamed = new Map<string, string>();
  for (const [at, source] of sources.entries()) {
    // Zeros may stand elsewhere as what they are.
    const name = isParameter(source) ? source.name : `${source.name}.whole`;
    renamed.set(source.name, name);
    initializers.set(name, tensor(name, 'int8', source.shape, blocks[at] ?? []));
  }
  const [scaleName, zeroName] = [`constant.${weight}.scale`, `constant.${weight}.zero`];
  initializers.set(scaleName, tensor(scaleName, 'float32', [scales.length], scales));
  // ONNX Runtime makes a product with a bias in whole numbers only where zeros are said to be zeros.
  initializers.set(zeroName, tensor(zeroName, 'int8', [scales.length], new Int8Array(scales.length)));
  const made = `${weight}:restored`;
  return [
    ...nodes.map((node) => ({ ...node, inputs: node.inputs.map((input) => renamed.get(input) ?? input) })),
    {
      operator: 'DequantizeLinear',
      name: made,
      inputs: [weight, scaleName, zeroName],
      outputs: [made],
      attributes: { axis: int(1) },
    },
  ];
}

/** A value that was in whole numbers, and the step between these. */
interface WholeInput {
  readonly name: string;
  readonly scale: number;
}

/** Brings a value into whole numbers and back, once for all who read it. */
function wholeInput(
  x: string,
  { scale, zeroPoint }: Range,
  nodes: GraphNode[],
  initializers: Map<string, Initializer>,
): WholeInput {
  const [scaleName, zeroName] = [`constant.${x}.scale`, `constant.${x}.zero`];
  initializers.set(scaleName, tensor(scaleName, 'float32', [], [scale]));
  initializers.set(zeroName, tensor(zeroName, 'uint8', [], [zeroPoint]));
  const pair = [scaleName, zeroName];
  const [inWhole, back] = [`${x}:whole`, `${x}:back`];
  nodes.push(
    { operator: 'QuantizeLinear', name: inWhole, inputs: [x, ...pair], outputs: [inWhole], attributes: {} },
    { operator: 'DequantizeLinear', name: back, inputs: [inWhole, ...pair], outputs: [back], attributes: {} },
  );
  return { name: back, scale };
}

const tensor = (
  name: string,
  type: Initializer['type'],
  shape: readonly number[],
  numbers: ArrayLike<number>,
): Initializer => ({ name, type, shape, values: { numbers } });
