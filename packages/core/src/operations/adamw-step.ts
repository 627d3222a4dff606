import { type Tensor, add, div, mul, scalar, sqrt, square, sub } from '@tensorflow/tfjs-core';
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
  const constants = constantsOf(hyper);
  return leaves.map((leaf) => {
    const { parameter, gradient, mean, variance, weightDecay } = leaf;
    const [nextParameter, nextMean, nextVariance] = runFused<[Tensor, Tensor, Tensor]>(
      'WinnowAdamW',
      { parameter, gradient, mean, variance },
      { ...hyper, weightDecay },
      () => compose(leaf, constants, hyper),
    );
    return { parameter: nextParameter, mean: nextMean, variance: nextVariance };
  });
}

/** Scalars on the device, made once for all leaves: a number given to an operation is an upload of its own. */
function constantsOf({ learningRate, beta1, beta2, epsilon, iteration }: AdamWHyper) {
  return {
    beta1: scalar(beta1),
    oneMinusBeta1: scalar(1 - beta1),
    beta2: scalar(beta2),
    oneMinusBeta2: scalar(1 - beta2),
    rootCorrection: scalar(Math.sqrt(1 - beta2 ** iteration)),
    epsilon: scalar(epsilon),
    stepSize: scalar(learningRate / (1 - beta1 ** iteration)),
  };
}

function compose(
  leaf: AdamWLeaf,
  constants: ReturnType<typeof constantsOf>,
  { learningRate }: AdamWHyper,
): [Tensor, Tensor, Tensor] {
  const { beta1, oneMinusBeta1, beta2, oneMinusBeta2, rootCorrection, epsilon, stepSize } = constants;
  const mean = add(mul(leaf.mean, beta1), mul(leaf.gradient, oneMinusBeta1));
  const variance = add(mul(leaf.variance, beta2), mul(square(leaf.gradient), oneMinusBeta2));
  const denominator = add(div(sqrt(variance), rootCorrection), epsilon);
  const step = mul(div(mean, denominator), stepSize);
  const decayed =
    leaf.weightDecay === 0 ? leaf.parameter : mul(leaf.parameter, 1 - learningRate * leaf.weightDecay);
  return [sub(decayed, step), mean, variance];
}
