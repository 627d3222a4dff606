import {
  type BatchSource,
  type Dataset,
  type Scores,
  type Task,
  type TensorTree,
  evaluate,
  evaluationBatches,
  trainingBatches,
} from '@winnow/core';
import type { BatchChoice, Workload } from '../workload/workload';

export function batchesOf(
  { train, batches }: Pick<Workload, 'train' | 'batches'>,
  { batchSize, seed }: BatchChoice,
  /** The options of the task's `trainingShape`, where the batches are trained on and not only counted. */
  training?: unknown,
): BatchSource<unknown> {
  if (training !== undefined && batches !== undefined) return batches({ batchSize, seed }, training);
  return trainingBatches(train, { batchSize, seed, augment: true });
}

export function scoreOn(
  dataset: Dataset<unknown>,
  batchSize: number,
): (task: Task, params: TensorTree) => Promise<Scores> {
  return (task, params) => evaluate(task, params, evaluationBatches(dataset, batchSize));
}
