import { type Scalar, type Tensor2D, add, mul, tensor2d, transpose } from '@tensorflow/tfjs-core';
import type { PairBatch } from '../data/dataset';
import type { DualEncoderInputs, PairLoss } from '../families/dual-encoder';
import type { Model } from '../families/model';
import type { Logits } from '../families/prediction';
import { type EndToken, checkTextEnds } from '../families/text-tower-config';
import { sigmoidCrossEntropy, softmaxCrossEntropy } from '../operations/cross-entropy';
import type { TensorTree } from '../tree/tree';
import { type PictureShape, pictureInputs, tokenInputs } from './inputs';
import {
  logitDistillation,
  logitsOf,
  sigmoidDistillation,
  sigmoidDivergence,
  symmetricDivergence,
} from './logits';
import { retrievalScorer } from './retrieval-scorer';
import type { HostPrediction, Task } from './task';

export interface RetrievalOptions extends PictureShape {
  /** Ends each text; given, a batch with a text that has none is refused. */
  readonly endToken?: EndToken;
  /** The loss of the model's configuration; the contrastive one without it. */
  readonly loss?: PairLoss | undefined;
}

/** Under the contrastive loss the temperature is not learned below 1/100 (Radford et al., 2021, Section 2.5). */
export const GREATEST_LOG_SCALE = Math.log(100);

/**
 * Retrieval between pictures and texts, learned by the symmetric contrastive loss (Radford et al., 2021, Figure 3) or the
 * pairwise sigmoid loss (Zhai et al., 2023, Equation 1).
 * Scores are recalls in percent over the whole split: `textR1` is how often the text that is closest to a picture is one
 * of its own, `imageR1` how often the picture closest to a text is its own; `meanR` is the mean over both directions
 * and R@1, 5 and 10. A tie counts against the model.
 * Its batches fail with a RangeError for a text without its end.
 */
export function retrieval<Params extends TensorTree>(
  model: Pick<Model<Params, DualEncoderInputs>, 'forward'>,
  { endToken, loss, ...shape }: RetrievalOptions,
): Task<Params, PairBatch, Logits, HostPrediction> {
  const picturesOf = pictureInputs(shape);
  return {
    name: 'retrieval',
    metric: 'meanR',
    predict: (params, batch, hooks) => {
      const { tokens, texts } = batch;
      if (endToken !== undefined) checkTextEnds(tokens, tokens.length / texts, endToken);
      return logitsOf(model.forward(params, { ...picturesOf(batch), ...tokenInputs(batch), ...hooks }));
    },
    ...(loss === 'sigmoid' ? pairByPair : allAgainstAll),
    scorer: retrievalScorer,
  };
}

type Losses = Pick<Task<TensorTree, PairBatch, Logits>, 'limits' | 'loss' | 'divergence' | 'distillation'>;

/** Logits are distributions over the texts in their rows, and over the pictures in their columns. */
export const allAgainstAll: Losses = {
  limits: { logitScale: GREATEST_LOG_SCALE },
  loss: ({ logits }, batch): Scalar => {
    const toText = softmaxCrossEntropy(logits, matches(batch.imageGroups, batch.textGroups));
    const toImage = softmaxCrossEntropy(transpose(logits), matches(batch.textGroups, batch.imageGroups));
    return mul(add(toText, toImage), 0.5);
  },
  divergence: (one, other) => {
    const overTexts = symmetricDivergence(one.logits, other.logits);
    return mul(
      add<Scalar>(overTexts, symmetricDivergence(transpose(one.logits), transpose(other.logits))),
      0.5,
    );
  },
  distillation: logitDistillation,
};

/** Each logit says how likely its pair is a right one; what pairs lose is summed, over the number of pictures. */
const pairByPair: Losses = {
  loss: ({ logits }, { imageGroups, textGroups }) =>
    sigmoidCrossEntropy(logits, isPair(imageGroups, textGroups)),
  divergence: (one, other) => sigmoidDivergence(one.logits, other.logits),
  distillation: sigmoidDistillation,
};

/** [N, M], 1 where picture and text are of the same group and 0 elsewhere. */
function isPair(ones: Int32Array, others: Int32Array): Tensor2D {
  const targets = new Float32Array(ones.length * others.length);
  ones.forEach((group, row) => {
    others.forEach((other, column) => {
      if (other === group) targets[row * others.length + column] = 1;
    });
  });
  return tensor2d(targets, [ones.length, others.length]);
}

/** Target distributions [N, M]: evenly over the `others` of the same group. Batches of a training have one each. */
function matches(ones: Int32Array, others: Int32Array): Tensor2D {
  const targets = new Float32Array(ones.length * others.length);
  ones.forEach((group, row) => {
    const right = [...others.keys()].filter((column) => others[column] === group);
    for (const column of right) targets[row * others.length + column] = 1 / right.length;
  });
  return tensor2d(targets, [ones.length, others.length]);
}
