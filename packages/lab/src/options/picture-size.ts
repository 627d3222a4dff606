import { type PictureSize, pictureSizeOf } from '@winnow/core';
import { z } from 'zod';

/** A picture of more pixels a side takes 200 MB for a batch of one, and no vision transformer takes it. */
const LARGEST_SIDE = 4096;
/** Height and width in a flag. */
const SIDES = /^(\d{1,15})x(\d{1,15})$/;

/**
 * An option that holds the size of pictures: a number of pixels for squares, `224x112` (height x width) for rectangles, or what
 * configurations call it, height and width.
 */
export function pictureSizeOption(largestSide = LARGEST_SIDE) {
  const side = z.int().positive().max(largestSide);
  return z.union(
    [
      side,
      z
        .string()
        .regex(SIDES)
        .transform((text): unknown => {
          const [, height, width] = SIDES.exec(text) ?? [];
          return { height: Number(height), width: Number(width) };
        })
        .pipe(z.strictObject({ height: side, width: side }))
        .transform((sides): PictureSize => pictureSizeOf(sides)),
      z.strictObject({ height: side, width: side }).transform((sides): PictureSize => pictureSizeOf(sides)),
    ],
    'expected the side of squares, or height x width like 224x112, in pixels' +
      (Number.isFinite(largestSide) ? ` (1 to ${largestSide})` : ''),
  );
}
