import { type VisionTowerConfig, sidesOf } from '@winnow/core';
import {
  type NamedTensorMap,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  reshape,
  transpose,
} from '@tensorflow/tfjs-core';
import type { GraphPort } from '../graph/graph';

/** The batch in the shapes of a graph. */
export const BATCH = 'batch';

/** Pictures as `transformers` has them, [B, C, H, W]. */
export function picturePort({ imageSize, channels }: VisionTowerConfig): GraphPort {
  const { height, width } = sidesOf(imageSize);
  return { name: 'pixel_values', type: 'float32', shape: [BATCH, channels, height, width] };
}

/** Two pictures each, [B, 2, C, H, W]. */
export function picturePairPort(vision: VisionTowerConfig): GraphPort {
  const { shape, ...port } = picturePort(vision);
  const [batch = BATCH, ...extents] = shape;
  return { ...port, shape: [batch, 2, ...extents] };
}

/** Texts of one length, filled up, [B, T]. */
export const textPort = ({ context }: { readonly context: number }): GraphPort => ({
  name: 'input_ids',
  type: 'int64',
  shape: [BATCH, context],
});

/** Numbers that another file gives, or a mask, [B, …]. */
export const valuesPort = (name: string, shape: readonly number[]): GraphPort => ({
  name,
  type: 'float32',
  shape: [BATCH, ...shape],
});

/** The tensor that is given under a port's name. @throws {RangeError} when nothing is. */
export function givenAt(inputs: NamedTensorMap, name: string): Tensor {
  const given = inputs[name];
  if (given === undefined) throw new RangeError(`expected ${name}, got ${Object.keys(inputs).join(', ')}`);
  return given;
}

/** [B, C, H, W] → [B, H, W, C]; of pairs [B, 2, C, H, W] → [2·B, H, W, C]. */
export function picturesIn(inputs: NamedTensorMap): Tensor4D {
  const images = givenAt(inputs, 'pixel_values');
  const [channels = 1, height = 1, width = 1] = images.shape.slice(-3);
  const each = images.rank === 5 ? reshape(images, [-1, channels, height, width]) : images;
  if (isOfFour(each)) return transpose(each, [0, 2, 3, 1]);
  throw new RangeError(`expected pictures [B, C, H, W], got ${images.rank} axes`);
}

/** [B, N], of tokens or of numbers. */
export function matrixIn(inputs: NamedTensorMap, name: string): Tensor2D {
  const given = givenAt(inputs, name);
  if (isOfTwo(given)) return given;
  throw new RangeError(`expected ${name} [B, N], got ${given.rank} axes`);
}

export const tokensIn = (inputs: NamedTensorMap): Tensor2D => matrixIn(inputs, 'input_ids');

const isOfFour = (tensor: Tensor): tensor is Tensor4D => tensor.rank === 4;
const isOfTwo = (tensor: Tensor): tensor is Tensor2D => tensor.rank === 2;
