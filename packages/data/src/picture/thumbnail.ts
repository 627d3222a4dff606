import { type PictureSize, sidesOf } from '@winnow/core';
import sharp from 'sharp';
import type { Normalisation } from './normalisation';
import { CHANNELS } from './picture';

const JPEG_QUALITY = 80;

/**
 * A small JPEG of a normalised picture as a data URI, for pages that people look at.
 * @param pixels Normalised, [H, W, 3] in row-major order.
 * @param imageSize H and W, in pixels.
 * @param sidePx Of the thumbnail; a smaller picture keeps its size.
 * @throws {RangeError} when the pixels are not so many.
 */
export async function thumbnail(
  pixels: Float32Array,
  imageSize: PictureSize,
  { mean, std, scale = 1 / 255 }: Normalisation,
  sidePx: number,
): Promise<string> {
  const { height, width } = sidesOf(imageSize);
  if (pixels.length === 0 || pixels.length !== height * width * CHANNELS) {
    throw new RangeError(
      `expected pixels of a picture of ${height} × ${width} in ${CHANNELS} channels, got ${pixels.length}`,
    );
  }
  const bytes = Uint8Array.from(pixels, (value, place) => {
    const channel = place % CHANNELS;
    const level = Math.round((value * (std[channel] ?? 1) + (mean[channel] ?? 0)) / scale);
    return Math.min(255, Math.max(0, level));
  });
  const jpeg = await sharp(bytes, { raw: { width, height, channels: CHANNELS } })
    .resize({ width: sidePx, withoutEnlargement: true })
    .jpeg({ quality: JPEG_QUALITY })
    .toBuffer();
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
}
