import { type Scalar, type Tensor, add, mul, reshape, tidy, valueAndGrads } from '@tensorflow/tfjs-core';
import type { BatchSource } from '../data/batches';
import type { Perturb } from '../families/perturbation';
import type { Task } from '../task/task';
import type { TensorTree } from '../tree/tree';
import { type Adversary, type Pass, adversarialGradients } from './adversary';
import { type StochasticDepth, branchDropAt } from './stochastic-depth';
import { type Teacher, lossBeside } from './teacher';

/** The objective of a step: the task's loss at some parameters, and what is added to it. */
export interface Objective<Params extends TensorTree> {
  /** Parameters of the forward pass, with gradients to those that are trained. */
  readonly params: Params;
  /** Computes what is added to the task's loss, after it. */
  penalty?(): Scalar;
}

/** The task of a training, its batches, and all that bears on the loss of a step. */
export interface Learning<Forward extends TensorTree, Batch> {
  readonly task: Task<Forward, Batch>;
  /** Perturbs embedded inputs in every step; without one they are as they are. */
  readonly adversary?: Adversary;
  /** Teaches by its predictions, beside the truth. */
  readonly teacher?: Teacher<Batch>;
  /** Parts of a batch that are computed one after another, which takes less memory; default 1: the whole at once. */
  readonly microBatches?: number;
  /** Leaves residual branches out, example by example. */
  readonly stochasticDepth?: StochasticDepth;
  readonly batches: BatchSource<Batch>;
}

interface Differentiated {
  readonly value: Scalar;
  readonly grads: Tensor[];
}

/**
 * The loss of a batch and its gradients, computed part by part: each counts by its share of the examples. Call it in a tidy.
 * @param start Trainable leaves, and `forward` what they come to as parameters of the forward pass.
 * @throws {RangeError} when batches are to be computed in parts and the task has none.
 */
export function gradientsOf<Forward extends TensorTree, Batch>(
  { task, batches, adversary, teacher, microBatches = 1, stochasticDepth }: Learning<Forward, Batch>,
  batch: Batch,
  start: Tensor[],
  forward: (leaves: readonly Tensor[]) => Objective<Forward>,
  step: number,
): Differentiated {
  const partOf = (own: Batch, part: number): Differentiated => {
    const lossOf = lossBeside(teacher, task, own);
    const drop = stochasticDepth === undefined ? {} : { drop: branchDropAt(stochasticDepth, step, part) };
    const pass = (leaves: readonly Tensor[], perturb?: Perturb): Pass => {
      const { params, penalty } = forward(leaves);
      const hooks = perturb === undefined ? drop : { ...drop, perturb };
      const prediction = task.predict(params, own, hooks);
      return {
        prediction,
        loss: () => {
          const loss = lossOf(prediction);
          return penalty === undefined ? loss : add(loss, penalty());
        },
      };
    };
    return adversary === undefined
      ? valueAndGrads((...leaves: Tensor[]) => pass(leaves).loss())(start)
      : adversarialGradients(adversary, start, {
          pass,
          divergence: (one, other) => task.divergence(one, other, own),
        });
  };
  if (microBatches === 1) return partOf(batch, 0);
  const slice = task.slice?.bind(task);
  if (slice === undefined) throw new RangeError(`the loss of ${task.name} is not computed in parts`);
  const { batchSize: size } = batches;
  const parts = Math.min(microBatches, size);
  let sums: Tensor[] = [];
  for (let part = 0; part < parts; part++) {
    const [from, to] = [Math.floor((part * size) / parts), Math.floor(((part + 1) * size) / parts)];
    const before = sums;
    sums = tidy(() => {
      const { value, grads } = partOf(slice(batch, from, to), part);
      return [value, ...grads].map((own, index) => {
        const weighed = mul(own, (to - from) / size);
        const sum = before[index];
        return sum === undefined ? weighed : add(sum, weighed);
      });
    });
    for (const sum of before) sum.dispose();
  }
  const [value, ...grads] = sums;
  if (value === undefined) throw new RangeError('a batch has no examples');
  const loss: Scalar = reshape(value, []);
  return { value: loss, grads };
}
