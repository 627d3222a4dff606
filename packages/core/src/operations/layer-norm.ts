import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  add,
  mean,
  mul,
  rsqrt,
  square,
  sub,
  sum,
} from '@tensorflow/tfjs-core';
import { differentiable, runFused } from './kernel';

/** Layer normalisation over the last axis: x [N, D], weight and bias [D] → [N, D]. */
export function layerNorm(x: Tensor2D, weight: Tensor1D, bias: Tensor1D, epsilon: number): Tensor2D {
  return differentiable(
    [x, weight, bias],
    () => {
      const [value, normalized, inverseDeviation] = runFused<[Tensor2D, Tensor2D, Tensor2D]>(
        'WinnowLayerNorm',
        { x, weight, bias },
        { epsilon },
        () => {
          const centered = sub<Tensor2D>(x, mean(x, 1, true));
          const inverseDeviation = rsqrt<Tensor2D>(
            add<Tensor2D>(mean<Tensor2D>(square(centered), 1, true), epsilon),
          ); // [N, 1]
          const normalized = mul<Tensor2D>(centered, inverseDeviation);
          return [add(mul(normalized, weight), bias), normalized, inverseDeviation];
        },
      );
      return { value, saved: [weight, normalized, inverseDeviation] };
    },
    layerNormGradient,
  );
}

function layerNormGradient(dy: Tensor, saved: readonly Tensor[]): Tensor[] {
  const [weight, normalized, inverseDeviation] = saved;
  if (weight === undefined || normalized === undefined || inverseDeviation === undefined) {
    throw new Error('layerNorm: the forward pass saved no activations');
  }
  return runFused('WinnowLayerNormGradient', { dy, weight, normalized, inverseDeviation }, {}, () => {
    const g = mul(dy, weight);
    const projected = mul(normalized, mean(mul(g, normalized), 1, true));
    const dx = mul(sub(sub(g, mean(g, 1, true)), projected), inverseDeviation);
    return [dx, sum(mul(dy, normalized), 0), sum(dy, 0)];
  });
}
