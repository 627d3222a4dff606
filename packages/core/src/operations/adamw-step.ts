import { type Tensor, add, div, mul, sqrt, square, sub } from '@tensorflow/tfjs-core';
import { runFused } from './kernel';

export interface AdamWHyper {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** 1, 2, 3, …: for the bias correction. */
  readonly iteration: number;
}

export interface AdamWLeaf {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  /** First moment. */
  readonly mean: Tensor;
  /** Second moment. */
  readonly variance: Tensor;
  /** Decoupled: the parameter shrinks by learningRate · weightDecay before the step. */
  readonly weightDecay: number;
}

export type AdamWUpdate = Pick<AdamWLeaf, 'parameter' | 'mean' | 'variance'>;

/**
 * One AdamW step over all leaves (Loshchilov & Hutter, 2017; Algorithm 2, in PyTorch's order of operations):
 * θ ← θ·(1 − lr·λ) − lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε).
 */
export function adamwStep(leaves: readonly AdamWLeaf[], hyper: AdamWHyper): AdamWUpdate[] {
  return leaves.map((leaf) => {
    const { parameter, gradient, mean, variance, weightDecay } = leaf;
    const [nextParameter, nextMean, nextVariance] = runFused<[Tensor, Tensor, Tensor]>(
      'WinnowAdamW',
      { parameter, gradient, mean, variance },
      { ...hyper, weightDecay },
      () => compose(leaf, hyper),
    );
    return { parameter: nextParameter, mean: nextMean, variance: nextVariance };
  });
}

function compose(leaf: AdamWLeaf, hyper: AdamWHyper): [Tensor, Tensor, Tensor] {
  const { learningRate, beta1, beta2, epsilon, iteration } = hyper;
  const mean = add(mul(leaf.mean, beta1), mul(leaf.gradient, 1 - beta1));
  const variance = add(mul(leaf.variance, beta2), mul(square(leaf.gradient), 1 - beta2));
  const denominator = add(div(sqrt(variance), Math.sqrt(1 - beta2 ** iteration)), epsilon);
  const step = mul(div(mean, denominator), learningRate / (1 - beta1 ** iteration));
  const decayed =
    leaf.weightDecay === 0 ? leaf.parameter : mul(leaf.parameter, 1 - learningRate * leaf.weightDecay);
  return [sub(decayed, step), mean, variance];
}
