import {
  type Scalar,
  type Tensor1D,
  type Tensor2D,
  add,
  cast,
  concat,
  div,
  equal,
  exp,
  fill,
  greaterEqual,
  matMul,
  mul,
  reshape,
  scalar,
  slice,
  softmax,
  sub,
  sum,
  tensor1d,
  zeros,
} from '@tensorflow/tfjs-core';
import type { PairBatch } from '../data/dataset';
import type { Blip, Compared } from '../families/blip';
import type { BlipParams } from '../families/blip-parts';
import { softmaxCrossEntropy } from '../operations/cross-entropy';
import { withoutGradient } from '../operations/kernel';
import { cloneTree, zipTrees } from '../tree/tree';
import { type PictureShape, pictureInputs, tokenInputs } from './inputs';
import type { Moment } from './task';

/** Momentum and a queue, beside the batch itself. */
export interface MomentumOptions {
  /** Q: pictures, and texts, that a batch is compared with, its own among them. */
  readonly queue: number;
  /** m: how much of the copy stays in a step. Default 0.995. */
  readonly momentum?: number;
  /** α: weight of the copy's own similarities in what is aimed at, once the first epoch is over. Default 0.4. */
  readonly alpha?: number;
}

/** Tensors that a training keeps from step to step. */
export type MatchingMemory = {
  /** θₘ */
  copy: BlipParams;
  /** Embeddings by the copy, the latest first, [Q, P]. */
  images: Tensor2D;
  texts: Tensor2D;
  /** Groups of both, −1 where nothing is yet, [Q] int32. */
  imageGroups: Tensor1D;
  textGroups: Tensor1D;
  /** α of this step. */
  alpha: Scalar;
};

/** Similarities to the queues, and what is aimed at. */
export type Queued = {
  readonly toTexts: Tensor2D; // [B, Q]
  readonly toImages: Tensor2D; // [M, Q]
  readonly wantedTexts: Tensor2D; // [B, Q]
  readonly wantedImages: Tensor2D; // [M, Q]
};

/** Similarities of places where nothing is lie so far below all others that they have no weight. */
const FAR_BELOW = 1e4;

/**
 * Momentum distillation for the contrastive loss (Li et al., 2022, BLIP, Section 3.2; Li et al., 2021, ALBEF; salesforce/BLIP,
 * `models/blip_retrieval.py`): a copy of the model that lags behind embeds each batch; its latest embeddings stand in queues, which
 * the model's own are compared with. What is aimed at is α · softmax of the copy's similarities + (1 − α) · the pairs of one group, evenly.
 * Not BLIP's: the queue has the batch's own among its Q, and may have any size; it is empty at first, and what is empty has no weight.
 */
export function matchingMemory(
  { config, passes }: Pick<Blip, 'config' | 'passes'>,
  shape: PictureShape,
  { queue: Q, momentum = 0.995, alpha = 0.4 }: MomentumOptions,
) {
  const picturesOf = pictureInputs(shape);
  const P = config.embeddings?.projectionDim ?? 0;
  const scaleOf = ({ embeddings }: BlipParams): Scalar =>
    embeddings?.logitScale === undefined ? scalar(1) : reshape(exp(embeddings.logitScale), []);
  const similarities = (one: Tensor2D, others: Tensor2D, groups: Tensor1D, scale: Scalar): Tensor2D => {
    const there: Tensor2D = reshape(cast(greaterEqual(groups, 0), 'float32'), [1, Q]);
    const cosines: Tensor2D = matMul(one, others, false, true);
    return add(mul(cosines, scale), mul(sub(there, 1), FAR_BELOW));
  };
  /** Rows of the queue that are of the same group, evenly. */
  const pairs = (own: Int32Array, groups: Tensor1D): Tensor2D => {
    const rows = reshape(tensor1d(own, 'int32'), [own.length, 1]);
    const same: Tensor2D = reshape(cast(equal(rows, reshape(groups, [1, Q])), 'float32'), [own.length, Q]);
    return div(same, sum(same, 1, true));
  };
  return {
    /** Nothing in the queues, and the copy is the model. */
    init: (params: BlipParams): MatchingMemory => ({
      copy: cloneTree(params),
      images: zeros([Q, P]),
      texts: zeros([Q, P]),
      imageGroups: fill([Q], -1, 'int32'),
      textGroups: fill([Q], -1, 'int32'),
      alpha: scalar(0),
    }),
    /**
     * θₘ ← m·θₘ + (1 − m)·θ, then the batch goes to the front of the queues.
     * @throws {RangeError} when the batch is larger than a queue.
     */
    update: (
      memory: MatchingMemory,
      params: BlipParams,
      batch: PairBatch,
      { step, stepsPerEpoch }: Moment,
    ): MatchingMemory => {
      const { size, texts, imageGroups, textGroups } = batch;
      if (size > Q || texts > Q)
        throw new RangeError(
          `expected a queue of ${Math.max(size, texts)} or more, which a batch has, got ${Q}`,
        );
      const copy = zipTrees([memory.copy, params], ([old, own]) =>
        add(mul(old, momentum), mul(own, 1 - momentum)),
      );
      const seen = passes.see(copy, picturesOf(batch).images);
      const front = (rows: Tensor2D, queue: Tensor2D): Tensor2D =>
        concat([rows, slice(queue, [0, 0], [Q - rows.shape[0], P])], 0);
      const groups = (own: Int32Array, queue: Tensor1D): Tensor1D =>
        concat([tensor1d(own, 'int32'), slice(queue, [0], [Q - own.length])]);
      return {
        copy,
        images: front(passes.embedPictures(copy, seen), memory.images),
        texts: front(passes.embedTexts(copy, tokenInputs(batch).tokens), memory.texts),
        imageGroups: groups(imageGroups, memory.imageGroups),
        textGroups: groups(textGroups, memory.textGroups),
        alpha: scalar(alpha * Math.min(1, step / stepsPerEpoch)),
      };
    },
    /** Similarities of a batch that is at the front of the queues. */
    compare: (
      memory: MatchingMemory,
      params: BlipParams,
      { images, texts }: Pick<Compared, 'images' | 'texts'>,
      { size, texts: count, imageGroups, textGroups }: PairBatch,
    ): Queued => {
      const scale = scaleOf(params);
      const wanted = (own: Tensor2D, others: Tensor2D, groups: Tensor1D, mine: Int32Array): Tensor2D =>
        withoutGradient(() => {
          const soft: Tensor2D = softmax(similarities(own, others, groups, scale));
          return add(mul(soft, memory.alpha), mul(pairs(mine, groups), sub(1, memory.alpha)));
        });
      const [ownImages, ownTexts] = [
        slice(memory.images, [0, 0], [size, P]),
        slice(memory.texts, [0, 0], [count, P]),
      ];
      return {
        toTexts: similarities(images, memory.texts, memory.textGroups, scale),
        toImages: similarities(texts, memory.images, memory.imageGroups, scale),
        wantedTexts: wanted(ownImages, memory.texts, memory.textGroups, imageGroups),
        wantedImages: wanted(ownTexts, memory.images, memory.imageGroups, textGroups),
      };
    },
    /** The mean of both cross-entropies. */
    loss: ({ toTexts, toImages, wantedTexts, wantedImages }: Queued): Scalar =>
      mul(
        add<Scalar>(softmaxCrossEntropy(toTexts, wantedTexts), softmaxCrossEntropy(toImages, wantedImages)),
        0.5,
      ),
  };
}
