import { tensor2d } from '@tensorflow/tfjs-core';
import type { BranchDrop } from '../layers/branch-drop';
import { randomStream } from '../random/random';

/** Leaves residual branches out of training steps, example by example. */
export interface StochasticDepth {
  /** The share that is left out in the last block of a tower, below 1; it falls along a line to 0 in the first. */
  readonly rate: number;
  readonly seed: number;
}

/**
 * Leaves branches out in a step (Huang et al., 2016, Deep Networks with Stochastic Depth, Section 3; as timm's DropPath with
 * `scale_by_keep`): each example loses a branch with the branch's own probability p, and a branch that stays counts
 * 1/(1 − p). The draws are a function of the seed, the step, the part of the batch and the branch.
 */
export function branchDropAt({ rate, seed }: StochasticDepth, step: number, part = 0): BranchDrop {
  return (branch, height, batch) => {
    const left = rate * height;
    if (left === 0) return undefined;
    const random = randomStream(seed, 'stochastic depth', step, part, branch);
    const factors = Array.from({ length: batch }, () => (random.uniform() < left ? 0 : 1 / (1 - left)));
    return tensor2d(factors, [batch, 1]);
  };
}
