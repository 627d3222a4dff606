import { type Tensor, type Tensor1D, add, slice, sub } from '@tensorflow/tfjs-core';
import { type ScaledParameter, type TensorTree, entriesOf, mapTree, scaleUnits } from '@winnow/core';
import { columnParameters } from './columns';
import type { Pairing } from './pairing';
import type { Structure } from './structure';

/**
 * The weights that a resolved structure makes (Eq. 5, and A.1 with its slip mended):
 * text Ŵ_l = st ⊙ W_l + (1 − st) ⊙ W_b, vision Ŵ_l = s ⊙ W_l + (1 − s) ⊙ Ŵt_l, then pruned columns of q and k and pruned
 * rows of W_C times m. Differentiable in weights and vectors.
 */
export function effectiveWeights<Params extends TensorTree>(
  weights: Params,
  structure: Structure,
  pairing: Pairing,
): Params {
  const blended = new Map<string, Tensor>(entriesOf<Tensor>(weights));
  const masks: { path: string; scaled: ScaledParameter }[] = [];
  // Text first: vision borrows what text has become. Base layers have no lender and stay as they are.
  const inOrder = [...pairing.subLayers].sort(
    (a, b) => Number(a.tower === 'vision') - Number(b.tower === 'vision'),
  );
  for (const subLayer of inOrder) {
    const vectors = structure[subLayer.id];
    if (vectors === undefined) throw new RangeError(`there are no vectors for ${subLayer.id}`);
    for (const { path, lent, axis, shareFrom, isPruned } of columnParameters(subLayer)) {
      const along = { axis, copies: 1 };
      if (lent !== undefined) {
        const own: Tensor1D = slice(vectors.share, shareFrom, subLayer.columns);
        const [mine, theirs] = scaleUnits([
          { parameter: at(blended, path), scale: own, along },
          { parameter: at(blended, lent), scale: sub<Tensor1D>(1, own), along },
        ]);
        if (mine === undefined || theirs === undefined) throw new Error('scaleUnits gave too few tensors');
        blended.set(path, add(mine, theirs));
      }
      if (isPruned)
        masks.push({ path, scaled: { parameter: at(blended, path), scale: vectors.keep, along } });
    }
  }
  // After all borrowing: what is lent is the column itself, and the resolved m keeps it anyway.
  const masked = scaleUnits(masks.map(({ path, scaled }) => ({ ...scaled, parameter: at(blended, path) })));
  masks.forEach(({ path }, index) => {
    const tensor = masked[index];
    if (tensor !== undefined) blended.set(path, tensor);
  });
  return mapTree(weights, (leaf, path) => blended.get(path) ?? leaf);
}

function at(tensors: ReadonlyMap<string, Tensor>, path: string): Tensor {
  const found = tensors.get(path);
  if (found === undefined) throw new RangeError(`there is no parameter ${path}`);
  return found;
}
