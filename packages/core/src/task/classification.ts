import { type Tensor2D, add, mul, oneHot, tensor1d } from '@tensorflow/tfjs-core';
import type { Model } from '../families/model';
import type { Logits } from '../families/prediction';
import { softmaxCrossEntropy } from '../operations/cross-entropy';
import type { TensorTree } from '../tree/tree';
import { evaluate } from './evaluate';
import { logitDistillation, logitsOf, symmetricDivergence } from './logits';
import type { HostPrediction, Scorer, Task } from './task';

export interface ClassificationOptions<Batch, Inputs> {
  /** Uploads the inputs that the model reads of a batch; called in a tidy. */
  inputs(batch: Batch): Inputs;
  readonly classes: number;
  /** Share of the target spread over all classes. */
  readonly labelSmoothing?: number;
  /** Examples `from` to `to` of a batch, but for what is `Labelled`; without it a batch is not computed in parts. */
  slice?(batch: Batch, from: number, to: number): Batch;
}

/** Examples with class labels, in host memory; what else is in a batch, the model's inputs are made of. */
export interface Labelled {
  /** B: the number of examples. */
  readonly size: number;
  /** Class indices, [B]. */
  readonly labels: Int32Array;
  /** The classes that the examples were mixed with, [B], and the share of their own in every example. */
  readonly mixed?: { readonly labels: Int32Array; readonly share: number };
}

/** The five of top-5: among that many classes or fewer, the right one is always one of the best five. */
const BEST = 5;

/**
 * Classification by cross-entropy, of whatever inputs; scores are loss (nats), top-1 and, of more than five classes, top-5
 * (percent).
 */
export function classification<Params extends TensorTree, Batch, Inputs extends object>(
  model: Pick<Model<Params, Inputs>, 'forward'>,
  { inputs, classes, labelSmoothing = 0, slice }: ClassificationOptions<Batch, Inputs>,
): Task<Params, Batch & Labelled, Logits, HostPrediction> {
  return {
    name: 'classification',
    metric: 'top1',
    predict: (params, batch, hooks) => logitsOf(model.forward(params, { ...inputs(batch), ...hooks })),
    loss: ({ logits }, { labels, mixed }) => {
      const classOf = (of: Int32Array) => oneHot(tensor1d(of, 'int32'), classes); // [B, K]
      const hard =
        mixed === undefined
          ? classOf(labels)
          : add(mul(classOf(labels), mixed.share), mul(classOf(mixed.labels), 1 - mixed.share));
      const targets: Tensor2D = add(mul(hard, 1 - labelSmoothing), labelSmoothing / classes);
      return softmaxCrossEntropy(logits, targets);
    },
    divergence: (one, other) => symmetricDivergence(one.logits, other.logits),
    distillation: logitDistillation,
    ...(slice === undefined
      ? {}
      : {
          slice: (batch: Batch & Labelled, from: number, to: number) => ({
            ...batch,
            ...slice(batch, from, to),
            ...labelsBetween(batch, from, to),
          }),
        }),
    scorer: () => classificationScorer(classes),
  };
}

const labelsBetween = ({ labels, mixed }: Labelled, from: number, to: number): Labelled => ({
  size: to - from,
  labels: labels.subarray(from, to),
  ...(mixed === undefined ? {} : { mixed: { ...mixed, labels: mixed.labels.subarray(from, to) } }),
});

/** The labels of examples, and the classes that a model takes them for: [N] each. */
export interface PredictedClasses {
  readonly labels: Int32Array;
  readonly predicted: Int32Array;
}

/**
 * The class that a model gives each example of a split, in its order. Top-1 is the share of those that are the label: of
 * classes that tie, it is one that is not.
 * @throws {TypeError} when the task predicts no logits.
 */
export async function predictedClasses(
  task: Task,
  params: TensorTree,
  batches: AsyncIterable<unknown>,
  classes: number,
): Promise<PredictedClasses> {
  const labels: number[] = [];
  const predicted: number[] = [];
  const gathering: Scorer<HostPrediction, Labelled> = {
    add: (prediction, batch) => {
      for (const [label, row] of rowsOf(prediction, batch, classes)) {
        labels.push(label);
        predicted.push(bestOf(row, label));
      }
    },
    scores: () => ({}),
  };
  await evaluate({ ...task, scorer: () => gathering }, params, batches);
  return { labels: Int32Array.from(labels), predicted: Int32Array.from(predicted) };
}

/** The label of every example with its logits, [K]. */
function rowsOf(
  { logits }: HostPrediction,
  { labels, size }: Labelled,
  classes: number,
): [label: number, row: Float32Array][] {
  if (logits === undefined) throw new TypeError('classification: no logits were predicted');
  return Array.from({ length: size }, (_, example) => [
    labels[example] ?? 0,
    Float32Array.from(logits.values.subarray(example * classes, (example + 1) * classes)),
  ]);
}

/**
 * Whether a class comes before the label. Ties count against the model, and so does what is not a number: a constant or
 * broken output scores no hit.
 */
const comesBefore = (row: Float32Array, k: number, label: number): boolean =>
  k !== label && !((row[k] ?? Number.NaN) < (row[label] ?? Number.NaN));

function bestOf(row: Float32Array, label: number): number {
  let best = label;
  for (const k of row.keys()) {
    if (!comesBefore(row, k, label)) continue;
    if (best === label || (row[k] ?? Number.NaN) > (row[best] ?? Number.NaN)) best = k;
  }
  return best;
}

function classificationScorer(classes: number): Scorer<HostPrediction, Labelled> {
  const total = { examples: 0, loss: 0, top1: 0, top5: 0 };
  return {
    add: (prediction, batch) => {
      for (const [label, row] of rowsOf(prediction, batch, classes)) {
        const own = row[label] ?? Number.NaN;
        const highest = row.reduce((a, b) => Math.max(a, b), -Infinity);
        const logSum = highest + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - highest), 0));
        const better = row.filter((_, k) => comesBefore(row, k, label)).length;
        total.examples += 1;
        total.loss += logSum - own;
        total.top1 += better < 1 ? 1 : 0;
        total.top5 += better < BEST ? 1 : 0;
      }
    },
    scores: () => ({
      loss: total.loss / total.examples,
      top1: (100 * total.top1) / total.examples,
      ...(classes > BEST ? { top5: (100 * total.top5) / total.examples } : {}),
    }),
  };
}
