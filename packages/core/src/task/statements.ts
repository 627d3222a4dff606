import { type Tensor2D, oneHot, reshape, tensor1d, tensor4d } from '@tensorflow/tfjs-core';
import type { StatementBatch } from '../data/dataset';
import type { BlipInputs } from '../families/blip';
import type { Model } from '../families/model';
import { sidesOf } from '../families/picture-sides';
import type { Logits } from '../families/prediction';
import { type EndToken, checkTextEnds } from '../families/text-tower-config';
import { softmaxCrossEntropy } from '../operations/cross-entropy';
import type { TensorTree } from '../tree/tree';
import { type PictureShape, picturesBetween, tokenInputs } from './inputs';
import { logitDistillation, logitsOf, symmetricDivergence } from './logits';
import type { HostPrediction, Scorer, Scores, Task } from './task';

export interface StatementOptions extends PictureShape {
  /** Ends each text; given, a batch with a text that has none is refused. */
  readonly endToken?: EndToken;
}

/**
 * Judging whether a statement is true of two pictures (Suhr et al., 2019, NLVR2), by cross-entropy. The score is the share that is
 * right, in percent (`accuracy`); a tie is wrong. Its batches fail with a RangeError for a text without its end.
 */
export function statements<Params extends TensorTree>(
  model: Pick<Model<Params, BlipInputs>, 'forward'>,
  { endToken, imageSize, channels }: StatementOptions,
): Task<Params, StatementBatch, Logits, HostPrediction> {
  const { height, width } = sidesOf(imageSize);
  return {
    name: 'statements',
    metric: 'accuracy',
    predict: (params, batch, hooks) => {
      const { tokens, texts, images, size } = batch;
      if (endToken !== undefined) checkTextEnds(tokens, tokens.length / texts, endToken);
      const both = tensor4d(images, [2 * size, height, width, channels]);
      return logitsOf(model.forward(params, { images: both, ...tokenInputs(batch), ...hooks }));
    },
    loss: ({ logits }, { labels }) => {
      const targets: Tensor2D = reshape(oneHot(tensor1d(labels, 'int32'), 2), [labels.length, 2]);
      return softmaxCrossEntropy(logits, targets);
    },
    divergence: (one, other) => symmetricDivergence(one.logits, other.logits),
    distillation: logitDistillation,
    scorer: statementScorer,
    slice: (batch, from, to) => {
      const length = batch.tokens.length / batch.texts;
      return {
        ...picturesBetween(batch, from, to),
        texts: to - from,
        tokens: batch.tokens.subarray(from * length, to * length),
        labels: batch.labels.subarray(from, to),
      };
    },
  };
}

function statementScorer(): Scorer<HostPrediction, StatementBatch> {
  let [right, all] = [0, 0];
  return {
    add: ({ logits }, { labels }) => {
      if (logits?.dtype !== 'float32') throw new TypeError('statements: no judgements were predicted');
      labels.forEach((label, row) => {
        const [own = NaN, other = NaN] = [logits.values[2 * row + label], logits.values[2 * row + 1 - label]];
        right += own > other ? 1 : 0;
        all += 1;
      });
    },
    scores: (): Scores => ({ accuracy: (100 * right) / all }),
  };
}
