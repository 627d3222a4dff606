import {
  type Scalar,
  type Tensor,
  type Tensor2D,
  add,
  mean,
  mul,
  softmax,
  square,
  sub,
  sum,
} from '@tensorflow/tfjs-core';
import type { Prediction } from '../families/prediction';
import { softmaxCrossEntropy } from '../operations/cross-entropy';
import { withoutGradient } from '../operations/kernel';
import { type TensorTree, tidyTree } from '../tree/tree';
import type { Task } from './task';

/** A model to learn from; its parameters stay the caller's, and get no gradient. */
export interface Teacher<Batch> {
  predict(batch: Batch): Prediction;
}

/**
 * The task with a teacher beside the truth (Hinton et al., 2015): (1 − w)·loss + w·(cross-entropy of the teacher's
 * class probabilities + mean squared distance of every embedding that both predict in the same shape). The scores
 * are the task's own.
 */
export function distilled<Params extends TensorTree, Batch>(
  task: Task<Params, Batch>,
  teacher: Teacher<Batch>,
  weight: number,
): Task<Params, Batch> {
  if (!(weight >= 0 && weight <= 1)) {
    throw new RangeError(`expected a weight of distillation from 0 to 1, got ${weight}`);
  }
  return {
    ...task,
    loss: (prediction, batch) => {
      const taught = withoutGradient(() => tidyTree(() => teacher.predict(batch)));
      const own = mul<Scalar>(task.loss(prediction, batch), 1 - weight);
      return add(own, mul<Scalar>(distance(prediction, taught), weight));
    },
  };
}

function distance(prediction: Prediction, taught: Prediction): Scalar {
  const probabilities: Tensor2D = softmax(taught.logits);
  return Object.entries(taught).reduce<Scalar>(
    (total, [name, embedding]) => {
      const own = prediction[name];
      if (name === 'logits' || own === undefined || !sameShape(own, embedding)) return total;
      const perRow: Tensor = sum(square(sub(own, embedding)), -1);
      return add(total, mean(perRow));
    },
    softmaxCrossEntropy(prediction.logits, probabilities),
  );
}

const sameShape = (a: Tensor, b: Tensor): boolean =>
  a.shape.length === b.shape.length && a.shape.every((extent, axis) => extent === b.shape[axis]);
