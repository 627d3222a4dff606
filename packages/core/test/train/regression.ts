import {
  type Scalar,
  type Tensor1D,
  type Tensor2D,
  mean,
  square,
  sub,
  tensor1d,
  tensor2d,
} from '@tensorflow/tfjs-core';
import { type Dataset, type HostPrediction, type Task, linear, randomStream } from '../../src/index';

/** The smallest model there is: y = x·weight + bias. */
export type Line = { weight: Tensor2D; bias: Tensor1D };

export interface Points {
  readonly x: Float32Array;
  readonly y: Float32Array;
}

export const flatLine = (): Line => ({ weight: tensor2d([0], [1, 1]), bias: tensor1d([0]) });

/** Points of y = 2x − 1. */
export const points: Dataset<Points> = {
  size: 24,
  batch: (indices) => {
    const x = Float32Array.from(indices, (index) => randomStream(1, 'point', index).normal());
    return Promise.resolve({ x, y: x.map((value) => 2 * value - 1) });
  },
};

const column = (values: Float32Array): Tensor2D => tensor2d(values, [values.length, 1]);

/** Mean squared error. */
export const regression: Task<Line, Points, { logits: Tensor2D }, HostPrediction> = {
  name: 'regression',
  metric: 'accuracy',
  predict: ({ weight, bias }, { x }) => ({ logits: linear(column(x), weight, bias) }),
  loss: ({ logits }, { y }): Scalar => mean(square(sub(logits, column(y)))),
  divergence: (one, other) => mean(square(sub(one.logits, other.logits))),
  distillation: (student, teacher) => mean(square(sub(student.logits, teacher.logits))),
  scorer: () => {
    let [error, count] = [0, 0];
    return {
      add: ({ logits }, { y }) => {
        y.forEach((value, i) => (error += Math.abs(value - (logits?.values[i] ?? Number.NaN))));
        count += y.length;
      },
      scores: () => ({ accuracy: -error / count, count }),
    };
  },
};
