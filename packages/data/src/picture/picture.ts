import type { Sides } from '@winnow/core';

/** A decoded picture: 8-bit RGB, row-major, [height, width, 3]. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

export const CHANNELS = 3;

/**
 * The rectangle of some size in the middle, with its own pixels.
 * @throws {RangeError} when the picture is smaller.
 */
export function middleOf(picture: Picture, size: Sides): Picture {
  const { width, height, pixels } = picture;
  if (width < size.width || height < size.height) {
    throw new RangeError(
      `expected a picture at least ${size.width} wide and ${size.height} high, got ${width}×${height}`,
    );
  }
  if (width === size.width && height === size.height) return picture;
  const left = (width - size.width) >> 1;
  const top = (height - size.height) >> 1;
  const length = size.width * CHANNELS;
  const middle = new Uint8Array(size.height * length);
  for (let row = 0; row < size.height; row++) {
    const start = ((top + row) * width + left) * CHANNELS;
    middle.set(pixels.subarray(start, start + length), row * length);
  }
  return { width: size.width, height: size.height, pixels: middle };
}
