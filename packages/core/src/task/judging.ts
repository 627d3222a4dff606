import { type Scalar, type Tensor2D, add, oneHot, reshape, tensor1d } from '@tensorflow/tfjs-core';
import type { Hooks } from '../families/hooks';
import type { Logits, Prediction } from '../families/prediction';
import { type EndToken, checkTextEnds } from '../families/text-tower-config';
import { softmaxCrossEntropy } from '../operations/cross-entropy';
import type { TensorTree } from '../tree/tree';
import { logitDistillation, logitsOf, symmetricDivergence } from './logits';
import { nothingOf } from './nothing';
import type { HostPrediction, Scorer, Task } from './task';

/** Texts that are judged, in host memory, but for what is to be seen. */
export interface Stated {
  /** B: the number of examples, and of texts. */
  readonly size: number;
  readonly texts: number;
  /** Token indices, [B, T]. */
  readonly tokens: Int32Array;
  /** The class of each, [B]. */
  readonly labels: Int32Array;
}

export interface Judging<Batch> {
  readonly name: string;
  /** C: classes of judgements. */
  readonly classes: number;
  readonly endToken: EndToken | undefined;
  /** The same batch with what is seen of examples `from` to `to`. */
  shownBetween(batch: Batch, from: number, to: number): Batch;
  scorer(): Scorer<HostPrediction, Stated>;
}

/**
 * Telling classes of texts about pictures, by cross-entropy. Its batches fail with a RangeError for a text without its end.
 * @param judge Says `logits` [B, C].
 */
export function judging<Params extends TensorTree, Batch extends Stated>(
  judge: (params: Params, batch: Batch, hooks: Hooks | undefined) => Prediction,
  { name, classes, endToken, shownBetween, scorer }: Judging<Batch>,
): Task<Params, Batch, Logits, HostPrediction> {
  return {
    name,
    metric: 'accuracy',
    predict: (params, batch, hooks) => {
      const { tokens, texts } = batch;
      if (endToken !== undefined) checkTextEnds(tokens, tokens.length / texts, endToken);
      return logitsOf(judge(params, batch, hooks));
    },
    loss: ({ logits, ...others }, { labels }) => {
      const targets: Tensor2D = reshape(oneHot(tensor1d(labels, 'int32'), classes), [labels.length, classes]);
      const surprise = softmaxCrossEntropy(logits, targets);
      const unread = Object.values(others);
      return unread.length === 0 ? surprise : add<Scalar>(surprise, nothingOf(unread));
    },
    divergence: (one, other) => symmetricDivergence(one.logits, other.logits),
    distillation: logitDistillation,
    scorer,
    slice: (batch, from, to) => {
      const length = batch.tokens.length / batch.texts;
      return {
        ...shownBetween(batch, from, to),
        texts: to - from,
        tokens: batch.tokens.subarray(from * length, to * length),
        labels: batch.labels.subarray(from, to),
      };
    },
  };
}

/**
 * Counts examples whose own class has the greatest logit of all: a tie is wrong.
 * @param classes C. @param task For messages.
 */
export function countedByClass(task: string, classes: number) {
  const [right, all] = [new Float64Array(classes), new Float64Array(classes)];
  return {
    right,
    all,
    add: ({ logits }: HostPrediction, { labels }: Stated): void => {
      if (logits?.dtype !== 'float32') throw new TypeError(`${task}: no judgements were predicted`);
      const { values } = logits;
      labels.forEach((label, row) => {
        const own = values.subarray(classes * row, classes * (row + 1));
        const said = own[label] ?? Number.NaN;
        const isRight = own.every((logit, index) => index === label || said > logit);
        right[label] = (right[label] ?? 0) + (isRight ? 1 : 0);
        all[label] = (all[label] ?? 0) + 1;
      });
    },
  };
}

/** A share in percent. */
export const shareOf = (right: ArrayLike<number>, all: ArrayLike<number>): number => {
  const sum = (counts: ArrayLike<number>) => Array.from(counts).reduce((total, own) => total + own, 0);
  return (100 * sum(right)) / sum(all);
};
