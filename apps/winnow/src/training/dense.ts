import {
  type BatchSource,
  type LedgerEntry,
  type Milestone,
  type Milestones,
  type Model,
  type Runner,
  type Task,
  type TensorTree,
  disposeTree,
  forwardPassesPerStep,
  initialize,
  runPhase,
  stepsIn,
} from '@winnow/core';
import type { Duration } from '@winnow/core';
import { type Optimization, adversaryOf } from '../options/training';
import { optimizerFor } from './optimizer';

export interface DenseTraining {
  readonly phase: string;
  readonly model: Model;
  readonly task: Task;
  readonly batches: BatchSource<unknown>;
  readonly optimization: Optimization;
  readonly duration: Duration;
  readonly learningRate: number;
  readonly seed: number;
  readonly milestones?: Milestones;
}

/** Trains a model from fresh parameters, as a phase of a run. The caller owns the parameters. */
export async function trainDense(
  runner: Runner,
  { phase, model, task, batches, optimization, duration, learningRate, seed, milestones }: DenseTraining,
): Promise<{ params: TensorTree; ledger: LedgerEntry; milestones: readonly Milestone[] }> {
  const steps = stepsIn(duration, batches.stepsPerEpoch);
  const fresh = initialize<TensorTree>(model.specs, seed);
  try {
    const {
      params,
      ledger,
      milestones: reached,
    } = await runPhase(
      runner,
      phase,
      {
        params: fresh,
        state: {},
        task,
        effective: (params: TensorTree) => params,
        optimizer: optimizerFor<TensorTree>(optimization, { learningRate, steps }),
        batches,
        ...adversaryOf(optimization),
        steps,
      },
      {
        trainingMacsPerExample:
          forwardPassesPerStep(adversaryOf(optimization).adversary) * model.account.macs,
        ...(milestones === undefined ? {} : { milestones }),
      },
    );
    return { params, ledger, milestones: reached };
  } finally {
    disposeTree(fresh);
  }
}
