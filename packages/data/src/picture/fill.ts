import { type PictureSize, randomStream, sidesOf } from '@winnow/core';
import { augment } from '../augmentation/augment';
import type { AugmentationPolicy } from '../augmentation/policy';
import { type Normalisation, normaliser } from './normalisation';
import { CHANNELS, type Picture } from './picture';

/** The way from decoded pictures to the values of a batch, as plain data: the same wherever it is done. */
export interface Filling {
  /** H and W of the pictures in a batch, in pixels. */
  readonly imageSize: PictureSize;
  readonly normalisation: Normalisation;
  /** Their variation; without it they are taken as they are, H×W. */
  readonly variation?: { readonly policy: AugmentationPolicy; readonly seed: number; readonly epoch: number };
}

/** A decoded picture, and the index of the example that it is of: with seed and epoch it decides its variation. */
export interface DecodedExample {
  readonly picture: Picture;
  readonly example: number;
}

/** Normalised pixels, [B, H, W, C]. */
export function filled(
  pictures: readonly DecodedExample[],
  { imageSize, normalisation, variation }: Filling,
): Float32Array<ArrayBuffer> {
  const { height, width } = sidesOf(imageSize);
  const values = height * width * CHANNELS;
  const normalise = normaliser(normalisation);
  const images = new Float32Array(pictures.length * values);
  const varied = new Uint8Array(variation === undefined ? 0 : values);
  pictures.forEach(({ picture, example }, position) => {
    if (variation === undefined) {
      normalise(picture.pixels, images, position * values);
      return;
    }
    const { policy, seed, epoch } = variation;
    augment(picture, policy, randomStream(seed, 'augment', epoch, example), imageSize, varied);
    normalise(varied, images, position * values);
  });
  return images;
}
