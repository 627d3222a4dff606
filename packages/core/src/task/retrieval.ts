import { type Scalar, type Tensor2D, add, mul, tensor2d, tensor4d, transpose } from '@tensorflow/tfjs-core';
import type { PairBatch } from '../data/dataset';
import type { DualEncoderInputs } from '../families/dual-encoder';
import type { Model } from '../families/model';
import { type EndToken, checkTextEnds } from '../families/text-tower-config';
import { softmaxCrossEntropy } from '../operations/cross-entropy';
import type { TensorTree } from '../tree/tree';
import { retrievalScorer } from './retrieval-scorer';
import type { Task } from './task';

export interface RetrievalOptions {
  /** S: side of the pictures, in pixels. */
  readonly imageSize: number;
  readonly channels: number;
  /** Ends each text; given, a batch with a text that has none is refused. */
  readonly endToken?: EndToken;
}

/** The temperature is not learned below 1/100 (Radford et al., 2021, Section 2.5). */
const GREATEST_LOG_SCALE = Math.log(100);

/**
 * Retrieval between pictures and texts, learned by the symmetric contrastive loss (Radford et al., 2021, Figure 3).
 * Scores are recalls in percent over the whole split: `textR1` is how often the text that is closest to a picture is one
 * of its own, `imageR1` how often the picture closest to a text is its own; `meanR` is the mean over both directions
 * and R@1, 5 and 10. A tie counts against the model.
 * Its batches fail with a RangeError for a text without its end.
 */
export function retrieval<Params extends TensorTree>(
  model: Pick<Model<Params, DualEncoderInputs>, 'forward'>,
  { imageSize, channels, endToken }: RetrievalOptions,
): Task<Params, PairBatch> {
  return {
    name: 'retrieval',
    metric: 'meanR',
    readsColumns: true,
    limits: { logitScale: GREATEST_LOG_SCALE },
    predict: (params, { size, images, texts, tokens }, perturb) => {
      const length = tokens.length / texts;
      if (endToken !== undefined) checkTextEnds(tokens, length, endToken);
      return model.forward(params, {
        images: tensor4d(images, [size, imageSize, imageSize, channels]),
        tokens: tensor2d(tokens, [texts, length], 'int32'),
        ...(perturb === undefined ? {} : { perturb }),
      });
    },
    loss: ({ logits }, batch): Scalar => {
      const toText = softmaxCrossEntropy(logits, matches(batch.imageGroups, batch.textGroups));
      const toImage = softmaxCrossEntropy(transpose(logits), matches(batch.textGroups, batch.imageGroups));
      return mul(add(toText, toImage), 0.5);
    },
    scorer: retrievalScorer,
  };
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
