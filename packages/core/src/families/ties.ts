import type { Tensor } from '@tensorflow/tfjs-core';
import { type Account, type AccountLine, accountOf } from '../account/account';
import type { Ties } from '../decision/plan';
import { type Share, fullestHead, headColumns, ownColumns, ownerOf } from '../decision/share';
import { UserError } from '../error/user-error';
import { type ParameterSpec, sizeOf } from '../layers/parameter';
import { assembleColumns, columnOrigins } from '../operations/assemble-columns';
import { type Reparametrisation, applied } from '../reparametrisation/reparametrisation';
import { type Site, copiesOf } from '../sites/site';
import { type TensorTree, type Tree, buildTree, entriesOf, pickTree } from '../tree/tree';
import type { Model, Running } from './model';
import type { Prediction } from './prediction';

/** A parameter that has columns of a tied site. */
interface TiedParameter {
  readonly site: Site;
  /** Which of the site's couplings it is: an owner's is the same one. */
  readonly coupling: number;
  /** The name of its columns. */
  readonly columns: string;
  readonly axis: 0 | 1;
  /** The letters of its columns. */
  readonly letters: string;
}

/** The parts of a model whose shared columns are stored once. */
interface Tied<Specs, Params extends TensorTree, Inputs, Output extends Prediction> {
  /** Specifications of what is stored: a parameter without columns of its own is missing. */
  readonly specs: Specs;
  /** None: it is not cut again. */
  readonly sites: readonly Site[];
  readonly account: Account;
  readonly readout: Model['readout'];
  readonly running: Running<Params, Inputs, Output>;
  forward: Model<Params, Inputs, Output>['forward'];
  /** @throws {UserError} always. */
  shrink(): never;
}

/**
 * Ties columns of a model. A column that stands in several places is stored once, by its owner; the forward pass sees it
 * wherever it stands, and its gradient is the sum over its uses.
 */
export function tied<
  Specs extends Tree<ParameterSpec>,
  Params extends TensorTree,
  Inputs,
  Output extends Prediction,
>(
  whole: Model<Params, Inputs, Output> & { readonly specs: Specs },
  ties: Ties,
): Tied<Specs, Params, Inputs, Output> {
  const specs = storedSpecs(whole, ties);
  const reparametrisation = untying<Params>(whole, ties);
  return {
    specs,
    sites: [],
    account: tiedAccount(whole.account, specs, ties),
    readout: { projections: [], heads: whole.readout.heads },
    running: { model: whole, reparametrisation },
    forward: (stored, inputs) => whole.forward(applied(reparametrisation, stored), inputs),
    shrink: () => {
      throw new UserError('a model whose columns are shared cannot be cut again: start from the dense one');
    },
  };
}

/** The parameters that ties are about, by path: those that units of the sites run through. */
function tiedParameters(sites: readonly Site[], ties: Ties): ReadonlyMap<string, TiedParameter> {
  return new Map(
    sites.flatMap((site) =>
      site.couplings.flatMap(({ parameter, axis, columns = '' }, coupling): [string, TiedParameter][] => {
        const letters = ties[site.id]?.columns[columns];
        return letters === undefined ? [] : [[parameter, { site, coupling, columns, axis, letters }]];
      }),
    ),
  );
}

interface Whole {
  /** Specifications of the model that runs. */
  readonly specs: Tree<ParameterSpec>;
  readonly sites: readonly Site[];
}

/** Specifications of what is stored: a model's own columns. */
function storedSpecs<Specs extends Tree<ParameterSpec>>(
  { specs, sites }: Whole & { readonly specs: Specs },
  ties: Ties,
): Specs {
  const shared = tiedParameters(sites, ties);
  return pickTree(specs, (spec, path) => {
    const found = shared.get(path);
    if (found === undefined) return spec;
    const own = ownColumns(found.letters).length;
    const shape = spec.shape.map((extent, axis) => (axis === found.axis ? own : extent));
    return own === 0 ? undefined : { ...spec, shape };
  });
}

/** The reparametrisation of stored parameters into the whole record of the model that runs. */
function untying<Params extends TensorTree>({ specs, sites }: Whole, ties: Ties): Reparametrisation<Params> {
  const shares = new Map(Object.entries(ties));
  const byId = new Map(sites.map((site) => [site.id, site]));
  const plans = new Map(
    [...tiedParameters(sites, ties)].map(([path, parameter]) => [path, planOf(parameter, shares, byId)]),
  );
  const apply = (stored: TensorTree): Params => {
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
  return { init: () => ({}), apply };
}

/**
 * Groups of stored matrices whose rows stand together in a matrix that runs, by their paths. Whoever stores such matrices with one scale for
 * each column has to take the same scales for a whole group.
 */
export function sharedRows({ specs, sites }: Whole, ties: Ties): readonly (readonly string[])[] {
  const shares = new Map(Object.entries(ties));
  const byId = new Map(sites.map((site) => [site.id, site]));
  const shapes = new Map(entriesOf<ParameterSpec>(specs).map(([path, { shape }]) => [path, shape]));
  let groups: readonly ReadonlySet<string>[] = [];
  for (const [path, parameter] of tiedParameters(sites, ties)) {
    if (parameter.axis !== 0 || shapes.get(path)?.length !== 2) continue;
    const { sources } = planOf(parameter, shares, byId);
    const isTouched = (group: ReadonlySet<string>): boolean => sources.some((source) => group.has(source));
    const touched = groups.filter(isTouched).flatMap((group) => [...group]);
    groups = [...groups.filter((group) => !isTouched(group)), new Set([...touched, ...sources])];
  }
  return groups.filter(({ size }) => size > 1).map((group) => [...group]);
}

/** From which parameters a tied one is put together, and how. */
function planOf(
  { site, coupling, columns: name, axis, letters }: TiedParameter,
  shares: ReadonlyMap<string, Share>,
  sites: ReadonlyMap<string, Site>,
) {
  const columns = padded(letters, copiesOf(site));
  const owned = columns.map((column) =>
    column < 0 ? undefined : { owner: ownerOf(shares, site.id, name, column), column },
  );
  const owners = [...new Set(owned.flatMap((found) => found?.owner ?? []))];
  // Who shares nothing stores every column.
  const stored = owners.map((owner) =>
    ownColumns(shares.get(owner)?.columns[name] ?? letters.replaceAll(/./g, 'k')),
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
  // Sites that lend to each other are alike: the same coupling of the owner has its columns.
  const sources = owners.map((owner) => sites.get(owner)?.couplings[coupling]?.parameter ?? owner);
  return { sources, origins: columnOrigins(places, counts), axis };
}

/** The columns of each head that stay, filled up with −1 to as many as the fullest head has. */
function padded(letters: string, heads: number): number[] {
  const width = fullestHead(letters, heads);
  return headColumns(letters, heads).flatMap((columns) => [
    ...columns,
    ...Array<number>(width - columns.length).fill(-1),
  ]);
}

/** The account of what runs, with the parameters of what is stored. */
function tiedAccount({ lines }: Account, stored: Tree<ParameterSpec>, ties: Ties): Account {
  const sizes = entriesOf<ParameterSpec>(stored).map(([path, spec]) => ({ path, size: sizeOf(spec) }));
  return accountOf(
    lines.map((line): AccountLine => {
      if (ties[line.part] === undefined) return line;
      const own = sizes.filter(({ path }) => path.startsWith(`${line.part}.`));
      return { ...line, parameters: own.reduce((sum, { size }) => sum + size, 0) };
    }),
  );
}
