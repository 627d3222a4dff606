import { add, mul } from '@tensorflow/tfjs-core';
import { type TensorTree, zipTrees } from '../tree/tree';
import type { AfterStep } from './train';

/** The state of a training that averages its weights. */
export type AverageState<Params extends TensorTree> = { average: Params };

/** The state that a training carries along for the average of its weights: its `state` at the start, and its `afterStep`. */
export interface WeightAverage<Params extends TensorTree> {
  /** The average is the start. Nothing is copied. */
  readonly state: AverageState<Params>;
  afterStep(step: AfterStep<Params, AverageState<Params>>): { params: Params; state: AverageState<Params> };
}

/**
 * An exponential moving average of the weights: a ← d·a + (1 − d)·θ after every step (Polyak & Juditsky, 1992; as timm's
 * ModelEma). So that a short training does not average its start, d is at most (1 + t)/(10 + t) after t steps, as in
 * TensorFlow's ExponentialMovingAverage with `num_updates`.
 * @param decay d, from 0 to 1.
 */
export function weightAverage<Params extends TensorTree>(
  params: Params,
  decay: number,
): WeightAverage<Params> {
  return {
    state: { average: params },
    afterStep: ({ step, params: next, state: { average } }) => {
      const done = step + 1;
      const kept = Math.min(decay, (1 + done) / (10 + done));
      return {
        params: next,
        state: {
          average: zipTrees([average, next], ([old, own]) => add(mul(old, kept), mul(own, 1 - kept))),
        },
      };
    },
  };
}
