import { z } from 'zod';

/** Sides of a picture, in pixels. */
export interface Sides {
  readonly height: number;
  readonly width: number;
}

/** Size of pictures, in pixels: the side of squares, or both sides of rectangles. A square is always its side alone. */
export type PictureSize = number | Sides;

export const sidesOf = (size: PictureSize): Sides =>
  typeof size === 'number' ? { height: size, width: size } : size;

/** The size that has these sides. */
export const pictureSizeOf = ({ height, width }: Sides): PictureSize =>
  height === width ? height : { height, width };

export function isSameSize(one: PictureSize, other: PictureSize): boolean {
  const [a, b] = [sidesOf(one), sidesOf(other)];
  return a.height === b.height && a.width === b.width;
}

/** A size in words, without its unit: `224` or `224 × 112`, height first. */
export const sizeText = (size: PictureSize): string =>
  typeof size === 'number' ? String(size) : `${size.height} × ${size.width}`;

/** A size with both sides changed by one rule. */
export function mappedSides(size: PictureSize, change: (side: number) => number): PictureSize {
  const { height, width } = sidesOf(size);
  return pictureSizeOf({ height: change(height), width: change(width) });
}

const side = z.int().positive();

/** Reads a size from plain data. */
export const pictureSizeSchema = z.union(
  [side, z.strictObject({ height: side, width: side }).transform(pictureSizeOf)],
  'expected a whole number of pixels, or height and width',
);
