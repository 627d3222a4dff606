import { type Tensor, type Tensor1D, type Tensor2D, add, matMul, sum, zeros } from '@tensorflow/tfjs-core';
import { differentiable, runFused } from './kernel';

/** y = x·W + b with x [N, K], weight [K, M], bias [M] → [N, M]; without a bias, y = x·W. */
export function linear(x: Tensor2D, weight: Tensor2D, bias = noBias(weight)): Tensor2D {
  return differentiable(
    [x, weight, bias],
    () => ({ value: product(x, weight, bias), saved: [x, weight] }),
    (dy, saved) => gradients(dy, saved, true),
  );
}

/** `linear` for an input that needs no gradient (pixels): the backward pass leaves out dx. */
export function linearOfConstant(x: Tensor2D, weight: Tensor2D, bias = noBias(weight)): Tensor2D {
  return differentiable(
    [weight, bias],
    () => ({ value: product(x, weight, bias), saved: [x, weight] }),
    (dy, saved) => gradients(dy, saved, false),
  );
}

const noBias = (weight: Tensor2D): Tensor1D => zeros([weight.shape[1]]);

function product(x: Tensor2D, weight: Tensor2D, bias: Tensor1D): Tensor2D {
  const [y] = runFused<[Tensor2D]>('WinnowLinear', { x, weight, bias }, {}, () => [
    add(matMul(x, weight), bias),
  ]);
  return y;
}

/** Computes the gradients of weight and bias, after that of x where the gradient `reachesInput`. */
function gradients(dy: Tensor, [x, weight]: readonly Tensor[], reachesInput: boolean): Tensor[] {
  if (x === undefined || weight === undefined) throw new Error('linear: the forward pass saved no inputs');
  return runFused<Tensor[]>('WinnowLinearGradient', { dy, x, weight }, { reachesInput }, () => [
    ...(reachesInput ? [matMul(dy, weight, false, true)] : []), // [N, K]
    matMul(x, dy, true, false), // [K, M]
    sum(dy, 0), // [M]
  ]);
}
