import {
  type BatchSource,
  type Duration,
  type LedgerEntry,
  type Milestone,
  type Milestones,
  type Model,
  type Runner,
  type Task,
  type TensorTree,
  forwardPassesPerStep,
  runPhase,
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
}

/** Trains a whole model on its task, as a phase of a run. Parameters are only lent; the caller owns the trained ones. */
export function trainOnTask(
  runner: Runner,
  params: TensorTree,
  { phase, model, task, batches, optimization, duration, learningRate, milestones }: TaskTraining,
): Promise<{ params: TensorTree; ledger: LedgerEntry; milestones: readonly Milestone[] }> {
  const steps = stepsIn(duration, batches.stepsPerEpoch);
  const adversary = adversaryOf(optimization);
  return runPhase(
    runner,
    phase,
    {
      params,
      state: {},
      task,
      objective: (tree: TensorTree) => ({ params: tree }),
      reparametrisation: runningOf(model).reparametrisation,
      optimizer: optimizerFor<TensorTree>(model, optimization, { learningRate, steps }),
      batches,
      ...adversary,
      steps,
    },
    {
      trainingMacsPerExample: forwardPassesPerStep(adversary.adversary) * model.account.macs,
      ...(milestones === undefined ? {} : { milestones }),
    },
  );
}
