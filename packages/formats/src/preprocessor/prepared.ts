import type { PictureGeometry, PicturePreparation, PictureSize } from '@winnow/core';
import { type PictureResize, type Sides, resizedGeometry, sidesOf } from '@winnow/core';
import { z } from 'zod';

/** The preparation of pictures, as a configuration has it. */
export interface Prepared {
  /** Size of the pictures that it makes; undefined where it is not said. */
  readonly imageSize: PictureSize | undefined;
  /** Notes for the user where a model cannot take its pictures as they come out of it, one sentence each. */
  readonly notes: readonly string[];
  /**
   * The preparation for a model of pictures of some size: lengths are in proportion to those of the configuration.
   * @throws {RangeError} where it cannot be in other proportions.
   */
  at(imageSize: PictureSize): PicturePreparation;
}

/** Longest side that a picture is scaled to, in pixels, as the data have it. */
const LONGEST = 4096;
export const pixels = z.int().positive().max(LONGEST);

export const areBounded = (size: PictureSize): boolean =>
  Object.values(sidesOf(size)).every((side) => side <= LONGEST);
export const tooLong = `expected sides of at most ${LONGEST} pixels`;

/**
 * The scaling of pictures to a size by timm and open_clip: a shorter side, or a longer one, where it is a square; otherwise as their
 * `ResizeKeepRatio` does it.
 */
export function scaledTo(mode: 'shortest' | 'longest' | 'squash', { height, width }: Sides): PictureResize {
  switch (mode) {
    case 'shortest':
      return height === width ? { kind: 'shortest', edge: height } : { kind: 'cover', height, width };
    case 'longest':
      return height === width ? { kind: 'longest', edge: height } : { kind: 'fit', height, width };
    case 'squash':
      return { kind: 'squash', height, width };
    default:
      return mode satisfies never;
  }
}

/** A preparation whose lengths are those for pictures of the size `native`. */
export const inProportion =
  (preparation: PicturePreparation, geometry: PictureGeometry, native: PictureSize) =>
  (imageSize: PictureSize): PicturePreparation => ({
    ...preparation,
    geometry: resizedGeometry(geometry, native, imageSize),
  });

/** The longest length of a geometry, for its bounds. */
export function isTooLong({ geometry }: PicturePreparation): boolean {
  if (geometry === undefined) return false;
  const { kind: _, ...lengths } = geometry.resize;
  return Object.values(lengths).some((length) => length > LONGEST);
}
