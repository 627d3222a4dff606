import {
  type LedgerEntry,
  type Milestone,
  type Runner,
  type TensorTree,
  disposeTree,
  initialize,
} from '@winnow/core';
import { type TaskTraining, trainOnTask } from './on-task';

export type DenseTraining = TaskTraining & { readonly seed: number };

/** Trains a model from fresh parameters, as a phase of a run. The caller owns the parameters. */
export async function trainDense(
  runner: Runner,
  { seed, ...training }: DenseTraining,
): Promise<{ params: TensorTree; ledger: LedgerEntry; milestones: readonly Milestone[] }> {
  const fresh = initialize<TensorTree>(training.model.specs, seed);
  try {
    return await trainOnTask(runner, fresh, training);
  } finally {
    disposeTree(fresh);
  }
}
