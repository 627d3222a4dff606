import type { Scalar } from '@tensorflow/tfjs-core';
import type { Perturb } from '../families/perturbation';
import type { Prediction } from '../families/prediction';
import type { HostTensor } from '../tree/host';
import type { TensorTree } from '../tree/tree';

/** Scores by name; a name says its unit: `top1` in percent, `loss` in nats. */
export type Scores = Readonly<Record<string, number>>;

/** Adds up what a model said of the batches of a split. */
export interface Scorer<Batch> {
  /** The prediction's tensors, by name. */
  add(prediction: Readonly<Record<string, HostTensor>>, batch: Batch): void;
  scores(): Scores | Promise<Scores>;
}

/** A task that a model is trained for and judged by: batch → prediction → loss and scores. */
export interface Task<Params extends TensorTree = TensorTree, Batch = unknown> {
  readonly name: string;
  /** The score that methods are compared by; higher is better. */
  readonly metric: string;
  /** Whether its logits are distributions along their columns too. */
  readonly readsColumns?: boolean;
  /** The greatest values that training lets parameters take, by their path in the model's record. */
  readonly limits?: Readonly<Record<string, number>>;
  /** Called inside the tidy of the trainer or of evaluation. `perturb` gets to see what inputs are embedded in. */
  predict(params: Params, batch: Batch, perturb?: Perturb): Prediction;
  /** Mean loss of a batch; called inside the trainer's tidy. */
  loss(prediction: Prediction, batch: Batch): Scalar;
  scorer(): Scorer<Batch>;
}
