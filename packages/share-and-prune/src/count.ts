import { type Scalar, type Tensor1D, add, log, maximum, mul, sum } from '@tensorflow/tfjs-core';
import type { Pairing, SubLayer } from './pairing';
import { type Structure, sharePart } from './structure';

/**
 * P(m, s): stored parameters of the attention and feed-forward sub-layers of both towers, of a structure whose conflicts
 * are resolved. A column is stored with its bias, once, by whom it is borrowed from; pruned ones are not stored. The
 * output projections of attention are stored whole. Differentiable, and exact where the vectors are 0 and 1.
 */
export function storedParameters(structure: Structure, { subLayers }: Pairing): Scalar {
  return subLayers.map((subLayer) => storedBy(structure, subLayer)).reduce((total, each) => add(total, each));
}

function storedBy(structure: Structure, subLayer: SubLayer): Scalar {
  const vectors = structure[subLayer.id];
  if (vectors === undefined) throw new RangeError(`there are no vectors for ${subLayer.id}`);
  const { share, keep } = vectors;
  const { embedDim: D, columns } = subLayer;
  if (subLayer.structure === 'ffn') return mul(sum(mul(keep, share)), 2 * D + 1);
  const [query, key] = [sharePart(share, subLayer, 0), sharePart(share, subLayer, 1)];
  const value = sharePart(share, subLayer, 2);
  const stored: Tensor1D = add(mul(keep, add(query, key)), value); // [H·d]
  return add(mul(sum(stored), D + 1), columns * D);
}

/** P of the dense towers. */
export const denseParameters = ({ subLayers }: Pairing): number =>
  subLayers.reduce(
    (total, { structure, embedDim: D, columns }) =>
      total + (structure === 'ffn' ? columns * (2 * D + 1) : columns * (4 * D + 3)),
    0,
  );

/** R = log(max(P, budget) / budget): no gradient once the budget is met. */
export const budgetPenalty = (stored: Scalar, budget: number): Scalar =>
  log<Scalar>(mul<Scalar>(maximum<Scalar>(stored, budget), 1 / budget));
