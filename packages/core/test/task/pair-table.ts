import { type Tensor2D, mul } from '@tensorflow/tfjs-core';
import type { DualEncoderInputs, Model, PairBatch } from '../../src/index';

export type Table = { logits: Tensor2D; images: Tensor2D; texts: Tensor2D };

/** A model whose prediction is its parameters. */
export const table: Pick<Model<Table, DualEncoderInputs>, 'forward'> = {
  forward: ({ logits, images, texts }) => ({
    logits: mul<Tensor2D>(logits, 1),
    images: mul(images, 1),
    texts: mul(texts, 1),
  }),
};

/** A batch of pictures and texts by their groups alone. */
export const batchOf = (imageGroups: readonly number[], textGroups: readonly number[]): PairBatch => ({
  size: imageGroups.length,
  images: new Float32Array(imageGroups.length),
  imageGroups: Int32Array.from(imageGroups),
  texts: textGroups.length,
  tokens: new Int32Array(2 * textGroups.length),
  textGroups: Int32Array.from(textGroups),
});
