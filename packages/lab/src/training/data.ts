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
import type { Workload } from '../workload/workload';

export function batchesOf(
  { train }: Pick<Workload, 'train'>,
  { batchSize, seed }: { readonly batchSize: number; readonly seed: number },
): BatchSource<unknown> {
  return trainingBatches(train, { batchSize, seed, augment: true });
}

export function scoreOn(
  dataset: Dataset<unknown>,
  batchSize: number,
): (task: Task, params: TensorTree) => Promise<Scores> {
  return (task, params) => evaluate(task, params, evaluationBatches(dataset, batchSize));
}
