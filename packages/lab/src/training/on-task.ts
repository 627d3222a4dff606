import {
  type BatchSource,
  type Duration,
  type LedgerEntry,
  type Milestone,
  type Milestones,
  type Model,
  type Runner,
  type StochasticDepth,
  type Task,
  type TensorTree,
  forwardPassesPerStep,
  runAveragedPhase,
  runningOf,
  stepsIn,
} from '@winnow/core';
import { type Optimization, adversaryOf } from '../options/training';
import { optimizerFor } from './optimizer';

export interface TaskTraining {
  readonly phase: string;
  readonly model: Model;
  /** On the model that runs. */
  readonly task: Task;
  readonly batches: BatchSource<unknown>;
  readonly optimization: Optimization;
  readonly duration: Duration;
  readonly learningRate: number;
  readonly milestones?: Milestones;
  /** Decay of the average of the weights that the training comes to; 0 or none: it comes to its last weights. */
  readonly weightAverage?: number;
  readonly microBatches?: number;
  readonly stochasticDepth?: StochasticDepth;
}

/** A model that was trained; the caller owns the parameters. */
export interface TrainedOnTask {
  readonly params: TensorTree;
  readonly ledger: LedgerEntry;
  readonly milestones: readonly Milestone[];
  /** Where the milestones have patience: the step that the parameters are of. */
  readonly bestStep?: number;
}

/** Trains a whole model on its task, as a phase of a run. Parameters are only lent. */
export async function trainOnTask(
  runner: Runner,
  params: TensorTree,
  training: TaskTraining,
): Promise<TrainedOnTask> {
  const { phase, model, task, batches, optimization, duration, learningRate, milestones } = training;
  const { microBatches, stochasticDepth } = training;
  const steps = stepsIn(duration, batches.stepsPerEpoch);
  const adversary = adversaryOf(optimization);
  const options = {
    trainingMacsPerExample: forwardPassesPerStep(adversary.adversary) * model.account.macs,
    ...(milestones === undefined ? {} : { milestones }),
  };
  return runAveragedPhase(
    runner,
    phase,
    {
      params,
      task,
      objective: (tree: TensorTree) => ({ params: tree }),
      reparametrisation: runningOf(model).reparametrisation,
      optimizer: optimizerFor<TensorTree>(model, optimization, { learningRate, steps }),
      batches,
      ...adversary,
      ...(microBatches === undefined ? {} : { microBatches }),
      ...(stochasticDepth === undefined ? {} : { stochasticDepth }),
      steps,
    },
    training.weightAverage ?? 0,
    options,
  );
}
