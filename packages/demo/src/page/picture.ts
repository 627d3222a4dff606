import { type PictureSize, sidesOf } from '@winnow/core';
import { type Picture, framed, normaliser } from '@winnow/data/preparation';
import type { DemoPreparation } from '../demo-data';

const CHANNELS = 3;
/** More pixels than any camera has: a canvas would be larger than browsers allow. */
const MOST_PIXELS = 2 ** 27;

/**
 * A picture file, decoded by the browser as the data package decodes it: upright, without its colour profile, transparency on
 * white.
 * @throws {Error} when the browser cannot, or it is too large.
 */
export async function decodedPicture(file: Blob): Promise<Picture> {
  const bitmap = await createImageBitmap(file, {
    colorSpaceConversion: 'none',
    imageOrientation: 'from-image',
  }).catch(() => {
    throw new Error('this browser cannot read that file as a picture: take a PNG, a JPEG or a WebP');
  });
  const { width, height } = bitmap;
  if (width * height > MOST_PIXELS)
    throw new Error(`a picture of ${width} × ${height} is too large for this page`);
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('this browser has no canvas to read pictures with');
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const pixels = new Uint8Array(width * height * CHANNELS);
  for (let from = 0, to = 0; to < pixels.length; from++) {
    if (from % 4 !== 3) pixels[to++] = data[from] ?? 0;
  }
  return { width, height, pixels };
}

/** A picture as a model takes it, [1, C, H, W], by the same code as everywhere else. */
export function preparedPicture(
  picture: Picture,
  { imageSize, geometry, normalisation }: DemoPreparation,
): { readonly values: Float32Array; readonly shape: readonly number[] } {
  const { pixels } = framed(picture, geometry, imageSize);
  const last = new Float32Array(pixels.length);
  normaliser(normalisation)(pixels, last, 0);
  const { height, width } = sidesOf(imageSize);
  const values = new Float32Array(last.length);
  const area = height * width;
  for (let at = 0; at < last.length; at++)
    values[(at % CHANNELS) * area + Math.floor(at / CHANNELS)] = last[at] ?? 0;
  return { values, shape: [1, CHANNELS, height, width] };
}

/** Draws what the models see of a picture. */
export function drawSeen(
  canvas: HTMLCanvasElement,
  picture: Picture,
  {
    imageSize,
    geometry,
  }: { readonly imageSize: PictureSize; readonly geometry: DemoPreparation['geometry'] },
): void {
  const { width, height, pixels } = framed(picture, geometry, imageSize);
  Object.assign(canvas, { width, height, hidden: false });
  const image = new ImageData(width, height);
  for (let at = 0, to = 0; at < pixels.length; to++)
    image.data[to] = to % 4 === 3 ? 255 : (pixels[at++] ?? 0);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}
