import { type Tensor, cast, mul, tensor, where } from '@tensorflow/tfjs-core';
import { type TensorTree, mapTree } from '../tree/tree';
import { resident } from '../tree/resident';
import { type ParameterMask, type ParameterMasks, entriesOfMask } from './parameter-mask';

/** A mask as a tensor of 0 and 1, of its parameter's shape: only lent. Call it in a tidy. */
function maskTensor(mask: ParameterMask): Tensor {
  return resident(mask, () => tensor(Float32Array.from(entriesOfMask(mask)), [...mask.shape], 'float32'));
}

/**
 * W ⊙ m: what the forward pass of a masked model reads. The gradient with respect to W is masked in the same way. A
 * parameter without a mask is passed on. Call it in a tidy.
 */
export function applyMasks<Params extends TensorTree>(params: Params, masks: ParameterMasks): Params {
  return mapTree(params, (leaf, path) => {
    const mask = masks[path];
    return mask === undefined ? leaf : mul(leaf, maskTensor(mask));
  });
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
