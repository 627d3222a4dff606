import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { HostTensor } from '../tree/host';
import type { TensorTree } from '../tree/tree';

/** Scores by name; a name says its unit: `top1` in percent, `loss` in nats. */
export type Scores = Readonly<Record<string, number>>;

/** Adds up what a model gave on the batches of a split. */
export interface Scorer<Batch> {
  add(outputs: Readonly<Record<string, HostTensor>>, batch: Batch): void;
  scores(): Scores;
}

/** What a model is trained for and judged by: batch → loss, batch → scores. */
export interface Task<Params extends TensorTree = TensorTree, Batch = unknown> {
  readonly name: string;
  /** The score that methods are compared by; higher is better. */
  readonly metric: string;
  /** Mean loss of a batch; called inside the trainer's tidy. */
  loss(params: Params, batch: Batch): Scalar;
  /** What the scorer needs of a batch; called inside evaluation's tidy. */
  measure(params: Params, batch: Batch): Readonly<Record<string, Tensor>>;
  scorer(): Scorer<Batch>;
}
