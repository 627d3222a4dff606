import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  add,
  concat,
  reshape,
  sum,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import { type TensorTree, entriesOf } from '../tree/tree';
import type { Coupling, Site } from './site';

type Coupled = Pick<Site, 'id' | 'units' | 'couplings'>;

/**
 * The sums of each unit's entries, over all parameters that it runs through: Σ of a tree of the model's shapes (its
 * squared weights, or weights times gradients), [units]. The caller owns it.
 * @param role Counts only what makes the units, or only what reads them.
 * @throws {RangeError} when the tree lacks a parameter of the site.
 */
export function unitSums(site: Coupled, tree: TensorTree, role?: Coupling['role']): Tensor1D {
  const leaves = new Map(entriesOf<Tensor>(tree));
  return tidy(() =>
    couplingsOf(site, role)
      .map((coupling): Tensor1D => {
        const leaf = leafAt(leaves, coupling);
        const perEntry: Tensor = leaf.rank === 1 ? leaf : sum(leaf, 1 - coupling.axis); // [copies · units]
        return sum(reshape(perEntry, [coupling.copies, site.units, -1]), [0, 2]);
      })
      .reduce((total, one) => add(total, one)),
  );
}

/**
 * All entries of each unit in a row, [units, entries]: the vectors that units are compared by. The caller owns it.
 * @throws {RangeError} when the tree lacks a parameter of the site.
 */
export function unitRows(site: Coupled, tree: TensorTree, role?: Coupling['role']): Tensor2D {
  const leaves = new Map(entriesOf<Tensor>(tree));
  return tidy(() =>
    concat(
      couplingsOf(site, role).map((coupling): Tensor2D => {
        const { axis, copies } = coupling;
        const leaf = leafAt(leaves, coupling);
        const entries: Tensor = leaf.rank === 2 && axis === 1 ? transpose(leaf) : leaf; // [copies · units, …]
        const apart = reshape(entries, [copies, site.units, -1]); // [copies, units, run · …]
        return reshape(transpose(apart, [1, 0, 2]), [site.units, -1]);
      }),
      1,
    ),
  );
}

function couplingsOf({ id, couplings }: Coupled, role: Coupling['role'] | undefined): readonly Coupling[] {
  const found = couplings.filter((coupling) => role === undefined || coupling.role === role);
  if (found.length === 0) throw new RangeError(`${id} has no ${role ?? ''} parameters`);
  return found;
}

function leafAt(leaves: ReadonlyMap<string, Tensor>, { parameter }: Coupling): Tensor {
  const leaf = leaves.get(parameter);
  if (leaf === undefined) throw new RangeError(`the model has no parameter ${parameter}`);
  return leaf;
}
