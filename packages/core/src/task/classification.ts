import { type Tensor2D, add, mul, oneHot, tensor1d } from '@tensorflow/tfjs-core';
import type { Model } from '../families/model';
import type { Logits } from '../families/prediction';
import { softmaxCrossEntropy } from '../operations/cross-entropy';
import type { TensorTree } from '../tree/tree';
import { logitDistillation, logitsOf, symmetricDivergence } from './logits';
import type { HostPrediction, Scorer, Task } from './task';

export interface ClassificationOptions<Batch, Inputs> {
  /** Uploads the inputs that the model reads of a batch; called in a tidy. */
  inputs(batch: Batch): Inputs;
  readonly classes: number;
  /** Share of the target spread over all classes. */
  readonly labelSmoothing?: number;
}

/** Examples with class labels, in host memory; what else is in a batch, the model's inputs are made of. */
export interface Labelled {
  /** B: the number of examples. */
  readonly size: number;
  /** Class indices, [B]. */
  readonly labels: Int32Array;
}

/** The five of top-5: among that many classes or fewer, the right one is always one of the best five. */
const BEST = 5;

/**
 * Classification by cross-entropy, of whatever inputs; scores are loss (nats), top-1 and, of more than five classes, top-5
 * (percent).
 */
export function classification<Params extends TensorTree, Batch, Inputs extends object>(
  model: Pick<Model<Params, Inputs>, 'forward'>,
  { inputs, classes, labelSmoothing = 0 }: ClassificationOptions<Batch, Inputs>,
): Task<Params, Batch & Labelled, Logits, HostPrediction> {
  return {
    name: 'classification',
    metric: 'top1',
    predict: (params, batch, hooks) => logitsOf(model.forward(params, { ...inputs(batch), ...hooks })),
    loss: ({ logits }, { labels }) => {
      const hard = oneHot(tensor1d(labels, 'int32'), classes); // [B, K]
      const targets: Tensor2D = add(mul(hard, 1 - labelSmoothing), labelSmoothing / classes);
      return softmaxCrossEntropy(logits, targets);
    },
    divergence: (one, other) => symmetricDivergence(one.logits, other.logits),
    distillation: logitDistillation,
    scorer: () => classificationScorer(classes),
  };
}

function classificationScorer(classes: number): Scorer<HostPrediction, Labelled> {
  const total = { examples: 0, loss: 0, top1: 0, top5: 0 };
  return {
    add: ({ logits }, { labels, size }) => {
      if (logits === undefined) throw new TypeError('classification: no logits were predicted');
      for (let example = 0; example < size; example++) {
        const label = labels[example] ?? 0;
        const row = Float32Array.from(logits.values.subarray(example * classes, (example + 1) * classes));
        const own = row[label] ?? Number.NaN;
        const highest = row.reduce((a, b) => Math.max(a, b), -Infinity);
        const logSum = highest + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - highest), 0));
        // Ties count against the model, and so does what is not a number: a constant or broken output scores no hit.
        const better = row.filter((logit, k) => !(logit < own) && k !== label).length;
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
