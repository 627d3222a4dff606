import { type Tensor, type Tensor1D, cast, tensor, tensor1d, where } from '@tensorflow/tfjs-core';
import { maskWeights } from '../operations/mask-weights';
import type { Reparametrisation } from '../reparametrisation/reparametrisation';
import { type TensorTree, entriesOf, mapTree } from '../tree/tree';
import { type ParameterMask, type ParameterMasks, entriesOfMask, maskSize } from './parameter-mask';

/** A mask as a tensor of 0 and 1, of its parameter's shape. Call it in a tidy. */
const maskTensor = (mask: ParameterMask): Tensor =>
  tensor(Float32Array.from(entriesOfMask(mask)), [...mask.shape], 'float32');

/** The masks of some parameters, one after the other's entries. */
function joined(masks: readonly ParameterMask[]): Tensor1D {
  const entries = new Float32Array(masks.reduce((total, mask) => total + maskSize(mask), 0));
  let at = 0;
  for (const mask of masks) {
    entries.set(entriesOfMask(mask), at);
    at += maskSize(mask);
  }
  return tensor1d(entries);
}

/**
 * The reparametrisation W ⊙ m of a masked model. The gradient with respect to W is masked in the same way. A parameter
 * without a mask is passed on. `apply` fails with a RangeError when a masked parameter is missing.
 */
export function weightMasks<Params extends TensorTree>(
  masks: ParameterMasks,
): Reparametrisation<Params, { mask: Tensor1D }> {
  const paths = Object.keys(masks);
  return {
    init: () => ({ mask: joined(Object.values(masks)) }),
    apply: (stored, { mask }) => {
      const leaves = new Map(entriesOf<Tensor>(stored));
      const masked = paths.map((path) => {
        const leaf = leaves.get(path);
        if (leaf === undefined) throw new RangeError(`there is no parameter ${path} to mask`);
        return leaf;
      });
      const products = maskWeights(masked, mask);
      const productAt = new Map(paths.map((path, place) => [path, products[place]]));
      return mapTree(stored, (leaf, path) => productAt.get(path) ?? leaf);
    },
  };
}

/**
 * Parameters with +0 where a mask says so and every other bit as it was: a product would leave −0 behind, which a file
 * of the weights that are left could not give back. Call it in a tidy; leaves without a mask are copies.
 */
export function zeroed<Params extends TensorTree>(params: Params, masks: ParameterMasks): Params {
  return mapTree(params, (leaf, path) => {
    const mask = masks[path];
    return mask === undefined ? leaf.clone() : where(cast(maskTensor(mask), 'bool'), leaf, 0);
  });
}
