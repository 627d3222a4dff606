import { type Tensor, mul, reshape, split } from '@tensorflow/tfjs-core';
import { hasKernel } from './kernel';
import { runListKernel } from './list-kernel';

const KERNEL = 'WinnowMaskWeights';

/**
 * Multiplies the weights of parameters by numbers of their own: parameters of any shapes, and one mask [numbers] that has
 * the entries of one parameter after the other's → tensors of the parameters' shapes. The mask is a constant.
 */
export function maskWeights(parameters: readonly Tensor[], mask: Tensor): Tensor[] {
  if (parameters.length === 0) return [];
  // The mask stands first: it is all that the gradient reads, and its place does not depend on how many there are.
  if (hasKernel(KERNEL))
    return runListKernel(KERNEL, [mask, ...parameters], {}, { saved: ['0'], firstTrained: () => 1 });
  const masks = split(
    mask,
    parameters.map(({ size }) => size),
  );
  return parameters.map((parameter, place) => {
    const own = masks[place];
    if (own === undefined) throw new RangeError(`expected a mask of ${parameters.length} parameters`);
    return mul(parameter, reshape(own, parameter.shape));
  });
}
