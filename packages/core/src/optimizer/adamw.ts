import { zerosLike } from '@tensorflow/tfjs-core';
import { adamwStep } from '../operations/adamw-step';
import { type TensorTree, alignTrees, mapTree, withLeaves } from '../tree/tree';
import { type Decays, matricesDecay } from './decay';
import { type LearningRateScale, uniformRate } from './layerwise';
import type { Optimizer } from './optimizer';
import type { Schedule } from './schedule';

export interface AdamWOptions {
  readonly schedule: Schedule;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly weightDecay?: number;
  /** Which parameters decay; by default all matrices. A model's own rule is `decaysOf` its specifications. */
  readonly decays?: Decays;
  /** The speed of each parameter; by default all alike. */
  readonly learningRateScale?: LearningRateScale;
}

export type AdamWState<Params extends TensorTree> = { mean: Params; variance: Params };

/** AdamW with decoupled weight decay (Loshchilov & Hutter, 2017), equal to PyTorch's step by step. */
export function adamw<Params extends TensorTree>({
  schedule,
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
  weightDecay = 0,
  decays = matricesDecay,
  learningRateScale = uniformRate,
}: AdamWOptions): Optimizer<Params, AdamWState<Params>> {
  return {
    learningRate: schedule,
    init: (params) => ({
      mean: mapTree(params, (leaf) => zerosLike(leaf)),
      variance: mapTree(params, (leaf) => zerosLike(leaf)),
    }),
    update: ({ params, gradients, state, step, donated }) => {
      const updates = adamwStep(
        alignTrees(params, gradients, state.mean, state.variance).map(({ path, leaves }) => {
          const [parameter, gradient, mean, variance] = leaves;
          return {
            parameter,
            gradient,
            mean,
            variance,
            weightDecay: decays(parameter, path) ? weightDecay : 0,
            learningRateScale: learningRateScale(path),
          };
        }),
        { learningRate: schedule(step), beta1, beta2, epsilon, iteration: step + 1 },
        donated,
      );
      const tree = (leaf: 'parameter' | 'mean' | 'variance') =>
        withLeaves(
          params,
          updates.map((update) => update[leaf]),
        );
      return { params: tree('parameter'), state: { mean: tree('mean'), variance: tree('variance') } };
    },
  };
}
