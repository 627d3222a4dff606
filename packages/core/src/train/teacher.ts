import { type Scalar, add, mul } from '@tensorflow/tfjs-core';
import type { Task } from '../task/task';
import { type TensorTree, tidyTree } from '../tree/tree';

/** A model to learn from; its parameters stay the caller's, and get no gradient. */
export interface Teacher<Batch> {
  /** Predicts what the task predicts of a batch; called in a tidy. */
  predict(batch: Batch): TensorTree;
  /** w: share of the loss that is learning from the teacher, from 0 to 1. */
  readonly weight: number;
}

/** @throws {RangeError} when the weight is not from 0 to 1. */
export function checkTeacher(teacher: Pick<Teacher<never>, 'weight'> | undefined): void {
  if (teacher === undefined || (teacher.weight >= 0 && teacher.weight <= 1)) return;
  throw new RangeError(`expected a weight of distillation from 0 to 1, got ${teacher.weight}`);
}

/**
 * The loss of a batch as a function of the prediction: the task's, or with a teacher (1 − w)·loss + w·distillation. The
 * teacher is asked once, before anything is differentiated: nothing is recorded of it. Call it in a tidy, outside of any
 * gradient.
 */
export function lossBeside<Batch>(
  teacher: Teacher<Batch> | undefined,
  task: Pick<Task<never, Batch>, 'loss' | 'distillation'>,
  batch: Batch,
): (prediction: TensorTree) => Scalar {
  if (teacher === undefined) return (prediction) => task.loss(prediction, batch);
  const { weight } = teacher;
  const taught = tidyTree(() => teacher.predict(batch));
  return (prediction) => {
    const own = mul<Scalar>(task.loss(prediction, batch), 1 - weight);
    return add(own, mul<Scalar>(task.distillation(prediction, taught, batch), weight));
  };
}
