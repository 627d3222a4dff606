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

/** Options as they are read: what is not given may be there as undefined. */
type OptionalErasing = Omit<BatchChoice, 'eraseProbability'> & {
  readonly eraseProbability?: number | undefined;
};

export function batchesOf(
  { train, batches }: Pick<Workload, 'train' | 'batches'>,
  { batchSize, seed, eraseProbability }: OptionalErasing,
  /** The options of the task's `trainingShape`, where the batches are trained on and not only counted. */
  training?: unknown,
): BatchSource<unknown> {
  const choice = { batchSize, seed, ...(eraseProbability === undefined ? {} : { eraseProbability }) };
  if (training !== undefined && batches !== undefined) return batches(choice, training);
  return trainingBatches(train, { ...choice, augment: true });
}

export function scoreOn(
  dataset: Dataset<unknown>,
  batchSize: number,
): (task: Task, params: TensorTree) => Promise<Scores> {
  return (task, params) => evaluate(task, params, evaluationBatches(dataset, batchSize));
}
