import {
  type BatchSource,
  type Model,
  type Retraining,
  type TensorTree,
  UserError,
  runningOf,
  stepsIn,
} from '@winnow/core';
import type { CompressOptions } from '../options/compress-options';
import type { GivenOptions } from '../options/group';
import { type RetrainingOptions, ofRetraining, retrainingOf } from '../options/retraining';
import { batchesOf, scoreOn } from '../training/data';
import { optimizerFor } from '../training/optimizer';
import { checkDivisible } from '../training/train-run';
import type { Workload } from '../workload/workload';

/** The training after the cut, with options of its own. */
export interface RetrainingPlan {
  readonly options: RetrainingOptions;
  /** Options of every training on the task, as it has them; others beside them. */
  readonly training: unknown;
  readonly batches: BatchSource<unknown>;
}

/**
 * @param options Of the whole run.
 * @throws {UserError} when the data or the task lack what they need.
 */
export function planRetraining(
  options: GivenOptions,
  workload: Workload,
  model: Model,
  { seed }: Pick<CompressOptions, 'seed'>,
): RetrainingPlan {
  const own = retrainingOf(options);
  const training = ofRetraining(options);
  checkDivisible(workload.taskOf(runningOf(model).model), own.microBatches, 'retrainMicroBatches');
  if (own.patience > 0 && workload.validation.size === 0)
    throw new UserError('retrainPatience needs a validation split, and the data has none');
  const batches = batchesOf(workload, { ...own, seed }, training);
  const { patience, evaluateEvery } = own;
  if (patience > 0 && stepsIn(evaluateEvery, batches.stepsPerEpoch) === 0)
    throw new UserError(
      `retrainEvaluateEvery: ${evaluateEvery} is less than one step of this data, which has ${batches.stepsPerEpoch} an epoch: say 1it or more`,
    );
  return { options: own, training, batches };
}

/** The runner's way of retraining. */
export function howRetrained(
  { options, training, batches }: RetrainingPlan,
  workload: Workload,
  { retrainLearningRate: learningRate, seed }: Pick<CompressOptions, 'retrainLearningRate' | 'seed'>,
): Omit<Retraining, 'steps' | 'computeLimit' | 'distill'> {
  const { microBatches, weightAverage, stochasticDepth, patience, evaluateEvery, batchSize } = options;
  const { stepsPerEpoch } = batches;
  return {
    optimizer: (steps, model) => optimizerFor<TensorTree>(model, options, { learningRate, steps }),
    // How far one epoch gets is a result of its own (UPop, Table 5).
    milestones: [stepsPerEpoch],
    batches,
    taskOf: (model) => workload.taskOf(model, training),
    microBatches,
    weightAverage,
    ...(stochasticDepth === 0 ? {} : { stochasticDepth: { rate: stochasticDepth, seed } }),
    ...(patience === 0
      ? {}
      : {
          patience: {
            every: stepsIn(evaluateEvery, stepsPerEpoch),
            evaluations: patience,
            score: scoreOn(workload.validation, batchSize),
          },
        }),
  };
}
