import { add, mul, sub, zerosLike } from '@tensorflow/tfjs-core';
import { type TensorTree, mapTree, zipTrees } from '../tree/tree';
import { type Decays, matricesDecay } from './decay';
import { type LearningRateScale, uniformRate } from './layerwise';
import type { Optimizer } from './optimizer';
import type { Schedule } from './schedule';

export interface SgdOptions {
  readonly schedule: Schedule;
  readonly momentum?: number;
  /** Added to the gradient of what decays (coupled, as in PyTorch's SGD). */
  readonly weightDecay?: number;
  /** Which parameters decay; by default all matrices. A model's own rule is `decaysOf` its specifications. */
  readonly decays?: Decays;
  /** The speed of each parameter; by default all alike. */
  readonly learningRateScale?: LearningRateScale;
}

/** Stochastic gradient descent with momentum: v ← μ·v + (g + λ·θ); θ ← θ − lr·v. */
export function sgd<Params extends TensorTree>({
  schedule,
  momentum = 0,
  weightDecay = 0,
  decays = matricesDecay,
  learningRateScale = uniformRate,
}: SgdOptions): Optimizer<Params, Params> {
  return {
    learningRate: schedule,
    init: (params) => mapTree(params, (leaf) => zerosLike(leaf)),
    update: ({ params, gradients, state, step }) => {
      const velocity = zipTrees([state, gradients, params], ([v, g, p], path) => {
        const decayed = weightDecay === 0 || !decays(p, path) ? g : add(g, mul(p, weightDecay));
        return momentum === 0 ? decayed : add(mul(v, momentum), decayed);
      });
      const learningRate = schedule(step);
      const next = zipTrees([params, velocity], ([p, v], path) =>
        sub(p, mul(v, learningRate * learningRateScale(path))),
      );
      return { params: next, state: velocity };
    },
  };
}
