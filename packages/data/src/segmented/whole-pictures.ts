import { type PictureSize, type WholePicture, sidesOf } from '@winnow/core';
import sharp from 'sharp';
import { DataError } from '../failure/data-error';
import { sizeAfter } from '../picture/geometry';
import { type Normalisation, imageNetNormalisation, normaliser } from '../picture/normalisation';
import { CHANNELS, type Picture } from '../picture/picture';
import { pictureReader } from '../picture/read';
import { resample } from '../picture/resample';

/** A picture without a mask, as a model that segments looks at it, and as it is. */
export interface UnmaskedPicture {
  readonly whole: Omit<WholePicture, 'mask'>;
  readonly original: Picture;
}

/** Squares of 4,096 pixels a side: every pixel gets an answer. */
const MOST_PIXELS = 2 ** 24;

/** Reads pictures as an evaluation of segmentation reads them: scaled so that they cover H×W, and answered at their own size. */
export function wholePictures({
  imageSize,
  normalisation = imageNetNormalisation,
}: {
  readonly imageSize: PictureSize;
  readonly normalisation?: Normalisation | undefined;
}): {
  /** @throws {DataError} naming the file when it is no complete picture, or has more than 2²⁴ pixels. */
  read(path: string): Promise<UnmaskedPicture>;
} {
  const reader = pictureReader();
  const normalise = normaliser(normalisation);
  const size = sidesOf(imageSize);
  return {
    read: async (path) => {
      const found: Picture[] = [];
      const scaled = await reader.readWhole(path, (picture) => {
        if (picture.width * picture.height > MOST_PIXELS) throw tooLarge(path, picture);
        found.push(picture);
        const to = sizeAfter(picture, { kind: 'cover', ...size });
        return resample(
          picture,
          to,
          { interpolation: 'bilinear', arithmetic: 'pillow' },
          { left: 0, top: 0, ...to },
        );
      });
      const [original] = found;
      if (original === undefined) throw new RangeError(`expected a picture in ${path}`);
      const pixels = new Float32Array(scaled.pixels.length);
      normalise(scaled.pixels, pixels, 0);
      const { height, width } = scaled;
      return {
        original,
        whole: { height, width, pixels, maskHeight: original.height, maskWidth: original.width },
      };
    },
  };
}

const tooLarge = (path: string, { width, height }: Picture): DataError =>
  new DataError({
    expected: `a picture of at most ${MOST_PIXELS} pixels in ${path}, each of which gets an answer`,
    found: `${width}×${height}`,
    advice: 'Make it smaller.',
  });

/** Degrees of the circle of hues between a class and the next: neighbours differ, however many there are. */
const GOLDEN_ANGLE = 137.508;
const SHARE_OF_COLOUR = 0.55;

/** The colour that a class is drawn in, 0 to 255. */
export function classColour(index: number): readonly [number, number, number] {
  const hue = (index * GOLDEN_ANGLE) % 360;
  const light = index % 2 === 0 ? 0.55 : 0.42;
  const level = (shift: number): number => {
    const place = (shift + hue / 30) % 12;
    const spread = 0.7 * Math.min(light, 1 - light);
    return Math.round(255 * (light - spread * Math.max(-1, Math.min(place - 3, 9 - place, 1))));
  };
  return [level(0), level(8), level(4)];
}

/**
 * A picture under the colours of what its pixels show, as PNG.
 * @param labels A class for each pixel; one that is none is left as it is.
 */
export function drawnSegmentation(
  { width, height, pixels }: Picture,
  labels: ArrayLike<number>,
  classes: number,
): Promise<Buffer> {
  const colours = Array.from({ length: classes }, (_, index) => classColour(index));
  const drawn = Uint8Array.from(pixels);
  for (let pixel = 0; pixel < labels.length; pixel++) {
    const colour = colours[labels[pixel] ?? classes];
    if (colour === undefined) continue;
    for (let channel = 0; channel < CHANNELS; channel++) {
      const at = pixel * CHANNELS + channel;
      drawn[at] = Math.round(
        (1 - SHARE_OF_COLOUR) * (pixels[at] ?? 0) + SHARE_OF_COLOUR * (colour[channel] ?? 0),
      );
    }
  }
  return sharp(drawn, { raw: { width, height, channels: CHANNELS } })
    .png()
    .toBuffer();
}
