import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { type SharedParameter, type TensorTree, entriesOf, mapTree, shareUnits } from '@winnow/core';
import type { ColumnParameter } from './columns';
import type { Layout, Place } from './layout';

/**
 * The weights that a resolved structure makes (Eq. 5, and A.1 with its slip mended):
 * text Ŵ_l = st ⊙ W_l + (1 − st) ⊙ W_b, vision Ŵ_l = s ⊙ W_l + (1 − s) ⊙ Ŵt_l, then pruned columns of q and k and pruned
 * rows of W_C times m. Gradients reach the vector; the weights are frozen.
 * @param vector As the layout has it; there may be more behind it.
 */
export function effectiveWeights<Params extends TensorTree>(
  weights: Params,
  vector: Tensor1D,
  { places }: Layout,
): Params {
  const tensors = new Map<string, Tensor>(entriesOf<Tensor>(weights));
  const positions = new Map<string, number>();
  const shared: SharedParameter[] = [];
  for (const place of lendersFirst(places)) {
    for (const parameter of place.parameters) {
      positions.set(parameter.path, shared.length);
      shared.push(sharedParameter(place, parameter, tensors, positions));
    }
  }
  // Masks come after all borrowing: what is lent is the column itself, and the resolved m keeps it anyway.
  const found = shareUnits(shared, vector);
  return mapTree(weights, (leaf, path) => found[positions.get(path) ?? -1] ?? leaf);
}

/** Base layers, the rest of text, vision, which borrows what text has become. */
const lendersFirst = (places: readonly Place[]): Place[] => {
  const rank = ({ subLayer: { tower, lender } }: Place) =>
    tower === 'vision' ? 2 : lender === undefined ? 0 : 1;
  return [...places].sort((a, b) => rank(a) - rank(b));
};

function sharedParameter(
  { shareFrom, keepFrom }: Place,
  { path, lent, axis, shareFrom: part, isPruned }: ColumnParameter,
  tensors: ReadonlyMap<string, Tensor>,
  positions: ReadonlyMap<string, number>,
): SharedParameter {
  const parameter = tensors.get(path);
  if (parameter === undefined) throw new RangeError(`there is no parameter ${path}`);
  const lender = lent === undefined ? undefined : positions.get(lent);
  return {
    parameter,
    axis,
    ...(lender === undefined || shareFrom === undefined ? {} : { lender, shareFrom: shareFrom + part }),
    ...(isPruned ? { scaleFrom: keepFrom } : {}),
  };
}
