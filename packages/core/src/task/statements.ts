import { type Scalar, type Tensor2D, add, oneHot, reshape, tensor1d, tensor4d } from '@tensorflow/tfjs-core';
import type { RegionStatementBatch, StatementBatch } from '../data/dataset';
import type { BlipInputs } from '../families/blip';
import type { Hooks } from '../families/hooks';
import type { Model } from '../families/model';
import { sidesOf } from '../families/picture-sides';
import type { Logits, Prediction } from '../families/prediction';
import type { RegionInputs } from '../families/region-inputs';
import { type EndToken, checkTextEnds } from '../families/text-tower-config';
import { softmaxCrossEntropy } from '../operations/cross-entropy';
import type { TensorTree } from '../tree/tree';
import { type PictureShape, picturesBetween, tokenInputs } from './inputs';
import { logitDistillation, logitsOf, symmetricDivergence } from './logits';
import { nothingOf } from './nothing';
import { type RegionShape, regionInputs, regionsBetween } from './region-inputs';
import type { HostPrediction, Scorer, Scores, Task } from './task';

export interface StatementOptions extends PictureShape {
  /** Ends each text; given, a batch with a text that has none is refused. */
  readonly endToken?: EndToken;
}

export interface RegionStatementOptions extends RegionShape {
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
  return judging(
    (params: Params, batch, hooks) => {
      const images = tensor4d(batch.images, [2 * batch.size, height, width, channels]);
      return model.forward(params, { images, ...tokenInputs(batch), ...hooks });
    },
    { endToken, shownBetween: picturesBetween },
  );
}

/** The same about the regions of two pictures. */
export function regionStatements<Params extends TensorTree>(
  model: Pick<Model<Params, RegionInputs>, 'forward'>,
  { endToken, ...shape }: RegionStatementOptions,
): Task<Params, RegionStatementBatch, Logits, HostPrediction> {
  const regionsOf = regionInputs(shape);
  return judging(
    (params: Params, batch, hooks) => {
      const shown = regionsOf({ size: 2 * batch.size, regions: batch.regions });
      return model.forward(params, { ...shown, ...tokenInputs(batch), ...hooks });
    },
    {
      endToken,
      shownBetween: (batch, from, to) => ({
        ...batch,
        size: to - from,
        regions: regionsBetween(batch.regions, 2 * from, 2 * to),
      }),
    },
  );
}

/** All of a batch but what is to be seen. */
type Stated = Omit<StatementBatch, 'images'>;

function judging<Params extends TensorTree, Batch extends Stated>(
  judge: (params: Params, batch: Batch, hooks: Hooks | undefined) => Prediction,
  {
    endToken,
    shownBetween,
  }: {
    readonly endToken: EndToken | undefined;
    /** The same batch with what is seen of examples `from` to `to`. */
    shownBetween(batch: Batch, from: number, to: number): Batch;
  },
): Task<Params, Batch, Logits, HostPrediction> {
  return {
    name: 'statements',
    metric: 'accuracy',
    predict: (params, batch, hooks) => {
      const { tokens, texts } = batch;
      if (endToken !== undefined) checkTextEnds(tokens, tokens.length / texts, endToken);
      return logitsOf(judge(params, batch, hooks));
    },
    loss: ({ logits, ...others }, { labels }) => {
      const targets: Tensor2D = reshape(oneHot(tensor1d(labels, 'int32'), 2), [labels.length, 2]);
      const surprise = softmaxCrossEntropy(logits, targets);
      const unread = Object.values(others);
      return unread.length === 0 ? surprise : add<Scalar>(surprise, nothingOf(unread));
    },
    divergence: (one, other) => symmetricDivergence(one.logits, other.logits),
    distillation: logitDistillation,
    scorer: statementScorer,
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

function statementScorer(): Scorer<HostPrediction, Stated> {
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
