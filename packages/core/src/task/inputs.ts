import { type Tensor2D, type Tensor4D, tensor2d, tensor4d } from '@tensorflow/tfjs-core';
import { type PictureSize, sidesOf } from '../families/picture-sides';

/** Sizes of the pictures that a model reads. */
export interface PictureShape {
  /** H and W, in pixels. */
  readonly imageSize: PictureSize;
  readonly channels: number;
}

/** Uploads the pictures of a batch, [B, H, W, C]. Call it in a tidy. */
export function pictureInputs({ imageSize, channels }: PictureShape) {
  const { height, width } = sidesOf(imageSize);
  return (batch: { readonly images: Float32Array; readonly size: number }): { images: Tensor4D } => ({
    images: tensor4d(batch.images, [batch.size, height, width, channels]),
  });
}

/** Pictures `from` to `to` of a batch. */
export function picturesBetween<Batch extends { readonly images: Float32Array; readonly size: number }>(
  batch: Batch,
  from: number,
  to: number,
): Batch {
  const pixels = batch.images.length / batch.size;
  return { ...batch, size: to - from, images: batch.images.subarray(from * pixels, to * pixels) };
}

/** Uploads the token sequences of a batch, [M, T] int32. Call it in a tidy. */
export const tokenInputs = ({
  tokens,
  texts,
}: {
  readonly tokens: Int32Array;
  readonly texts: number;
}): { tokens: Tensor2D } => ({ tokens: tensor2d(tokens, [texts, tokens.length / texts], 'int32') });
