import { type Tensor2D, add, mul, rsqrt, square, sum } from '@tensorflow/tfjs-core';

/** [N, P] → [N, P], rows of length 1. */
export function unitLength(x: Tensor2D): Tensor2D {
  return mul(x, rsqrt(add(sum(square(x), 1, true), 1e-12)));
}
