import type { Scalar } from '@tensorflow/tfjs-core';
import type { Hooks } from '../families/hooks';
import type { HostTensor } from '../tree/host';
import type { TensorTree } from '../tree/tree';

/** Scores by name; a name says its unit: `top1` in percent, `loss` in nats. */
export type Scores = Readonly<Record<string, number>>;

/** A prediction in host memory: its tensors by path. */
export type HostPrediction = Readonly<Record<string, HostTensor>>;

/** Gathers the answers to all batches of a split, and scores them together. */
export interface Scorer<Answer = unknown, Batch = unknown> {
  add(answer: Answer, batch: Batch): void | Promise<void>;
  scores(): Scores | Promise<Scores>;
}

/** Where a training stands. */
export interface Moment {
  /** Steps done. */
  readonly step: number;
  readonly stepsPerEpoch: number;
}

/**
 * Memory of a task, from step to step of a training beside the parameters, such as a queue or a copy that lags behind: checkpointed with
 * them, and gone with the training. Its shapes never change.
 */
export interface TaskMemory<Params extends TensorTree, Batch, Predicted extends TensorTree> {
  /** At the start of a training, from the parameters that run, which are only lent: a tree of its own. */
  init(params: Params): TensorTree;
  /** Before the gradients of a step, of the batch and the parameters that run: a new tree. Called in a tidy. */
  update(memory: TensorTree, params: Params, batch: Batch, moment: Moment): TensorTree;
  /** Learns the step with what was kept, the batch's own in it: in place of the task's own. */
  recall(memory: TensorTree): Pick<Task<Params, Batch, Predicted>, 'predict' | 'loss'>;
}

/**
 * A task that a model is trained for and judged by. Trainer, distillation, adversary and evaluation only hand its
 * predictions on: the task alone knows what is in them. What computes with tensors is called inside a tidy.
 */
export interface Task<
  Params extends TensorTree = TensorTree,
  Batch = unknown,
  Predicted extends TensorTree = TensorTree,
  Answer = unknown,
> {
  readonly name: string;
  /** The score that methods are compared by; higher is better. */
  readonly metric: string;
  /** The greatest values that training lets parameters take, by their path in the model's record. */
  readonly limits?: Readonly<Record<string, number>>;
  /** Uploads a batch and runs the model on it; `hooks` get to see its forward pass. */
  predict(params: Params, batch: Batch, hooks?: Hooks): Predicted;
  /** Mean loss of a batch; several losses come weighted in one. */
  loss(prediction: Predicted, batch: Batch): Scalar;
  /** The distance between two predictions of a batch: symmetric, never negative, and 0 of equal ones. */
  divergence(one: Predicted, other: Predicted, batch: Batch): Scalar;
  /** Loss of a student beside its teacher's prediction, which is a constant. */
  distillation(student: Predicted, teacher: Predicted, batch: Batch): Scalar;
  /**
   * Answers a batch as it is scored, in host memory, with all tensors disposed; not called in a tidy. Without it the answer
   * is the prediction. A task whose output is searched for, such as a caption, searches here.
   */
  answer?(params: Params, batch: Batch): Promise<Answer>;
  scorer(): Scorer<Answer, Batch>;
  /**
   * Examples `from` to `to` of a batch, as a batch. Only a task has it whose loss is a mean over examples, so that the mean of
   * the losses of parts is that of the whole.
   */
  slice?(batch: Batch, from: number, to: number): Batch;
  /** Its memory while it is trained for; a task that is only scored has no use for it. */
  readonly memory?: TaskMemory<Params, Batch, Predicted>;
}
