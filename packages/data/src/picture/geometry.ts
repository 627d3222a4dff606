import { type PictureGeometry, type PictureResize, type PictureSize, sidesOf } from '@winnow/core';
import { CHANNELS, type Picture } from './picture';
import { type Size, resample } from './resample';

/** Rounded, and a half to the even number, as Python does it. */
function roundEven(value: number): number {
  const below = Math.floor(value);
  const isHalf = value - below === 0.5;
  return isHalf ? below + (below % 2) : Math.round(value);
}

/** The size that a picture is scaled to. */
export function sizeAfter({ width, height }: Size, resize: PictureResize): Size {
  switch (resize.kind) {
    case 'kept':
      return { width, height };
    case 'squash':
      return { width: resize.width, height: resize.height };
    case 'shortest': {
      const [short, long] = width <= height ? [width, height] : [height, width];
      const { edge, longest } = resize;
      const isTooLong = longest !== undefined && (long / short) * edge > longest;
      const exact = isTooLong ? (longest * short) / long : edge;
      const newShort = Math.max(1, roundEven(exact));
      const newLong = Math.max(1, Math.floor((exact * long) / short));
      return width <= height ? { width: newShort, height: newLong } : { width: newLong, height: newShort };
    }
    case 'longest': {
      const ratio = Math.max(width, height) / resize.edge;
      const scaled = (side: number) => Math.max(1, roundEven(side / ratio));
      return { width: scaled(width), height: scaled(height) };
    }
    case 'cover':
    case 'fit': {
      const ratios = [height / resize.height, width / resize.width];
      const ratio = resize.kind === 'cover' ? Math.min(...ratios) : Math.max(...ratios);
      const scaled = (side: number) => Math.max(1, roundEven(side / ratio));
      return { width: scaled(width), height: scaled(height) };
    }
    default:
      return resize satisfies never;
  }
}

/** Pixels in front of the middle: cut off where positive, filled where negative. */
function offset(length: number, side: number, halves: PictureGeometry['halves']): number {
  const half = (length - side) / 2;
  if (half < 0) return -Math.floor(-half);
  return halves === 'even' ? roundEven(half) : Math.floor(half);
}

/** Finds the part of a length that a side shows, and where in the side it begins. */
function span(length: number, side: number, halves: PictureGeometry['halves']) {
  const from = offset(length, side, halves);
  return { from: Math.max(0, from), length: Math.min(length, side), at: Math.max(0, -from) };
}

/** The H×W that a model sees of a picture, as a geometry has it. */
export function framed(
  picture: Picture,
  { resize, interpolation, arithmetic, halves, fill = [0, 0, 0] }: PictureGeometry,
  imageSize: PictureSize,
): Picture {
  const { height, width } = sidesOf(imageSize);
  const size = sizeAfter(picture, resize);
  const [x, y] = [span(size.width, width, halves), span(size.height, height, halves)];
  const window = { left: x.from, top: y.from, width: x.length, height: y.length };
  const shown = resample(picture, size, { interpolation, arithmetic }, window);
  if (shown.width === width && shown.height === height) return shown;
  const pixels = new Uint8Array(height * width * CHANNELS);
  for (let i = 0; i < pixels.length; i++) pixels[i] = fill[i % CHANNELS] ?? 0;
  const length = shown.width * CHANNELS;
  for (let row = 0; row < shown.height; row++) {
    pixels.set(
      shown.pixels.subarray(row * length, (row + 1) * length),
      ((y.at + row) * width + x.at) * CHANNELS,
    );
  }
  return { width, height, pixels };
}
