import type { Tensor } from '@tensorflow/tfjs-core';
import { type AccountLine, type Account, accountOf } from '../account/account';
import { type ColumnPart, type Share, ownColumns, ownerOf, partOf, presentColumns } from '../decision/share';
import { assembleColumns, columnOrigins } from '../operations/assemble-columns';
import type { Site } from '../sites/site';
import { type ParameterSpec, sizeOf } from '../transformer/parameter';
import { type TensorTree, type Tree, buildTree, entriesOf, pickTree } from '../tree/tree';

/**
 * Which columns of a model's sites are stored where, by the sites' paths. A column that several have is
 * stored once, by its owner; the forward pass sees it wherever it stands, and its gradient is the sum over its uses.
 */
export type Ties = Readonly<Record<string, Share>>;

/** A parameter that has columns of a tied site. */
interface TiedParameter {
  readonly site: Site;
  /** `query.weight`, after the site's own path. */
  readonly name: string;
  readonly part: ColumnPart;
  readonly axis: 0 | 1;
  /** The letters of its columns. */
  readonly letters: string;
}

/** The parameters that ties are about, by path: those that units of the sites run through. */
function tiedParameters(sites: readonly Site[], ties: Ties): ReadonlyMap<string, TiedParameter> {
  return new Map(
    sites.flatMap((site) =>
      site.couplings.flatMap(({ parameter, axis }): [string, TiedParameter][] => {
        const part = partOf(site, parameter);
        const letters = part === undefined ? undefined : ties[site.id]?.columns[part];
        if (part === undefined || letters === undefined) return [];
        return [[parameter, { site, name: parameter.slice(site.id.length + 1), part, axis, letters }]];
      }),
    ),
  );
}

type Described = {
  /** Of the model that runs. */
  readonly specs: Tree<ParameterSpec>;
  readonly sites: readonly Site[];
};

/** What is stored of a tied model: its own columns. A parameter that has none is left out. */
export function storedSpecs<Specs extends Tree<ParameterSpec>>(
  { specs, sites }: Described & { readonly specs: Specs },
  ties: Ties,
): Specs {
  const tied = tiedParameters(sites, ties);
  return pickTree(specs, (spec, path) => {
    const found = tied.get(path);
    if (found === undefined) return spec;
    const own = ownColumns(found.letters).length;
    const shape = spec.shape.map((extent, axis) => (axis === found.axis ? own : extent));
    return own === 0 ? undefined : { ...spec, shape };
  });
}

/** What stands in the forward pass: stored parameters → the whole record of the model that runs. */
export function untie<Params>({ specs, sites }: Described, ties: Ties): (stored: TensorTree) => Params {
  const shares = new Map(Object.entries(ties));
  const plans = new Map(
    [...tiedParameters(sites, ties)].map(([path, parameter]) => [path, planOf(parameter, shares)]),
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

/** From which parameters a tied one is put together, and how. */
function planOf({ site, name, part, axis, letters }: TiedParameter, shares: ReadonlyMap<string, Share>) {
  const isCompared = part === 'query' || part === 'key';
  const columns = isCompared ? padded(letters, headsOf(site)) : presentColumns(letters);
  const owned = columns.map((column) =>
    column < 0 ? undefined : { owner: ownerOf(shares, site.id, part, column), column },
  );
  const owners = [...new Set(owned.flatMap((found) => found?.owner ?? []))];
  // Who shares nothing stores every column.
  const stored = owners.map((owner) =>
    ownColumns(shares.get(owner)?.columns[part] ?? letters.replaceAll(/./g, 'k')),
  );
  let first = 0;
  const placeOf = stored.map((own) => {
    const places = new Map(own.map((column, position) => [column, first + position]));
    first += own.length;
    return places;
  });
  const places = owned.map((found) =>
    found === undefined ? -1 : (placeOf[owners.indexOf(found.owner)]?.get(found.column) ?? -1),
  );
  const counts = stored.map(({ length }) => length);
  return { sources: owners.map((owner) => `${owner}.${name}`), origins: columnOrigins(places, counts), axis };
}

const headsOf = ({ couplings }: Site): number => couplings[0]?.copies ?? 1;

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
