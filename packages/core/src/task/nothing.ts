import { type Scalar, type Tensor, add, mul, sum } from '@tensorflow/tfjs-core';

/**
 * 0, with a gradient of 0 to each of some tensors: a loss that leaves out a part of a prediction, such as boxes where there is no
 * object, has to say so, as a parameter without any gradient is an error to the engines.
 */
export const nothingOf = (tensors: readonly Tensor[]): Scalar =>
  tensors.map((tensor) => mul<Scalar>(sum<Scalar>(tensor), 0)).reduce((total, zero) => add(total, zero));
