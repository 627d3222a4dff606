import type { Tensor } from '@tensorflow/tfjs-core';
import { type AccountLine, type Account, accountOf } from '../account/account';
import { type ColumnPart, type Share, ownColumns, ownerOf, presentColumns } from '../decision/share';
import { assembleColumns } from '../operations/assemble-columns';
import { type ParameterSpec, sizeOf } from '../transformer/parameter';
import { type TensorTree, type Tree, buildTree, entriesOf, pickTree } from '../tree/tree';

/**
 * Which columns of a model's sub-layers are stored where, by the paths of the sub-layers. A column that several have is
 * stored once, by its owner; the forward pass sees it wherever it stands, and its gradient is the sum over its uses.
 */
export type Ties = Readonly<Record<string, Share>>;

/** A parameter that has columns of a tied sub-layer. */
interface TiedParameter {
  readonly id: string;
  /** `query.weight`, after the sub-layer's own path. */
  readonly name: string;
  readonly part: ColumnPart;
  readonly axis: 0 | 1;
}

const NAMES: Readonly<Record<ColumnPart, readonly (readonly [name: string, axis: 0 | 1])[]>> = {
  query: [
    ['query.weight', 1],
    ['query.bias', 0],
  ],
  key: [
    ['key.weight', 1],
    ['key.bias', 0],
  ],
  value: [
    ['value.weight', 1],
    ['value.bias', 0],
  ],
  hidden: [
    ['expand.weight', 1],
    ['expand.bias', 0],
    ['contract.weight', 0],
  ],
};

const isPart = (part: string): part is ColumnPart => part in NAMES;

/** The parameters that ties are about, by path. */
function tiedParameters(ties: Ties): ReadonlyMap<string, TiedParameter> {
  return new Map(
    Object.entries(ties).flatMap(([id, { columns }]) =>
      Object.keys(columns).flatMap((part) =>
        isPart(part)
          ? NAMES[part].map(([name, axis]): [string, TiedParameter] => [
              `${id}.${name}`,
              { id, name, part, axis },
            ])
          : [],
      ),
    ),
  );
}

const lettersOf = (ties: Ties, id: string, part: ColumnPart): string => ties[id]?.columns[part] ?? '';

/** What is stored of a tied model: its own columns. A parameter that has none is left out. */
export function storedSpecs<Specs extends Tree<ParameterSpec>>(specs: Specs, ties: Ties): Specs {
  const tied = tiedParameters(ties);
  return pickTree(specs, (spec, path) => {
    const found = tied.get(path);
    if (found === undefined) return spec;
    const own = ownColumns(lettersOf(ties, found.id, found.part)).length;
    const shape = spec.shape.map((extent, axis) => (axis === found.axis ? own : extent));
    return own === 0 ? undefined : { ...spec, shape };
  });
}

/** What stands in the forward pass: stored parameters → the whole record that `specs` describe. */
export function untie<Params>(
  specs: Tree<ParameterSpec>,
  ties: Ties,
  heads: (id: string) => number,
): (stored: TensorTree) => Params {
  const shares = new Map(Object.entries(ties));
  const plans = new Map(
    [...tiedParameters(ties)].map(([path, { id, name, part, axis }]) => {
      const letters = lettersOf(ties, id, part);
      const columns =
        part === 'query' || part === 'key' ? padded(letters, heads(id)) : presentColumns(letters);
      const owned = columns.map((column) =>
        column < 0 ? undefined : { owner: ownerOf(shares, id, part, column), column },
      );
      const owners = [...new Set(owned.flatMap((found) => found?.owner ?? []))];
      const stored = owners.map((owner) => {
        const own = shares.get(owner)?.columns[part];
        return own === undefined ? letters.replaceAll(/./g, 'k') : own;
      });
      const own = stored.map((each) => ownColumns(each));
      const counts = own.map(({ length }) => length);
      const starts = counts.map((_, index) => counts.slice(0, index).reduce((sum, count) => sum + count, 0));
      const positions = own.map((columns) => new Map(columns.map((column, position) => [column, position])));
      const places = owned.map((found) => {
        if (found === undefined) return -1;
        const source = owners.indexOf(found.owner);
        return (starts[source] ?? 0) + (positions[source]?.get(found.column) ?? 0);
      });
      return [
        path,
        { sources: owners.map((owner) => `${owner}.${name}`), origins: { places, counts }, axis },
      ];
    }),
  );
  return (stored) => {
    const leaves = new Map(entriesOf<Tensor>(stored));
    const leafAt = (path: string): Tensor => {
      const leaf = leaves.get(path);
      if (leaf === undefined) throw new RangeError(`the tied model has no parameter ${path}`);
      return leaf;
    };
    return buildTree<ParameterSpec, Params>(specs, (_, path) => {
      const plan = plans.get(path);
      return plan === undefined
        ? leafAt(path)
        : assembleColumns(plan.sources.map(leafAt), plan.origins, plan.axis);
    });
  };
}

/** The columns of each head that stay, filled up with −1 to as many as the fullest head has. */
function padded(letters: string, heads: number): number[] {
  const perHead = headColumns(letters, heads);
  const width = Math.max(...perHead.map(({ length }) => length));
  return perHead.flatMap((columns) => [...columns, ...Array<number>(width - columns.length).fill(-1)]);
}

function headColumns(letters: string, heads: number): number[][] {
  const headDim = letters.length / heads;
  const present = presentColumns(letters);
  return Array.from({ length: heads }, (_, head) =>
    present.filter((column) => Math.floor(column / headDim) === head),
  );
}

/** Columns of queries and keys in the fullest head. */
export const fullestHead = (letters: string, heads: number): number =>
  Math.max(...headColumns(letters, heads).map(({ length }) => length));

/** The account of what runs, with the parameters of what is stored. */
export function tiedAccount({ lines }: Account, stored: Tree<ParameterSpec>, ties: Ties): Account {
  const sizes = entriesOf<ParameterSpec>(stored).map(([path, spec]) => ({ path, size: sizeOf(spec) }));
  return accountOf(
    lines.map((line): AccountLine => {
      if (ties[line.part] === undefined) return line;
      const own = sizes.filter(({ path }) => path.startsWith(`${line.part}.`));
      return { ...line, parameters: own.reduce((sum, { size }) => sum + size, 0) };
    }),
  );
}
