import { type Tensor1D, type Tensor2D, add, matMul, sum } from '@tensorflow/tfjs-core';
import { differentiable, runFused } from './kernel';

/** y = x·W + b with x [N, K], weight [K, M], bias [M] → [N, M]. */
export function linear(x: Tensor2D, weight: Tensor2D, bias: Tensor1D): Tensor2D {
  return differentiable(
    [x, weight, bias],
    () => {
      const [value] = runFused<[Tensor2D]>('WinnowLinear', { x, weight, bias }, {}, () => [
        add(matMul(x, weight), bias),
      ]);
      return { value, saved: [x, weight] };
    },
    (dy, saved) => {
      const [x, weight] = saved;
      if (x === undefined || weight === undefined)
        throw new Error('linear: the forward pass saved no inputs');
      return runFused('WinnowLinearGradient', { dy, x, weight }, {}, () => [
        matMul(dy, weight, false, true), // [N, K]
        matMul(x, dy, true, false), // [K, M]
        sum(dy, 0), // [M]
      ]);
    },
  );
}

/** `linear` for an input that needs no gradient (pixels): the backward pass leaves out dx. */
export function linearOfConstant(x: Tensor2D, weight: Tensor2D, bias: Tensor1D): Tensor2D {
  return differentiable(
    [weight, bias],
    () => ({ value: add<Tensor2D>(matMul(x, weight), bias), saved: [x] }),
    (dy, saved) => [...saved.map((x) => matMul(x, dy, true, false)), sum(dy, 0)],
  );
}
