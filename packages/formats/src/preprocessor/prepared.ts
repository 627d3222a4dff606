import type { PictureGeometry, PicturePreparation } from '@winnow/core';
import { resizedGeometry } from '@winnow/core';
import { z } from 'zod';

/** The preparation of pictures, as a configuration has it. */
export interface Prepared {
  /** Side of the pictures that it makes, in pixels; undefined where it is not said. */
  readonly imageSize: number | undefined;
  /** Notes for the user where a model cannot take its pictures as they come out of it, one sentence each. */
  readonly notes: readonly string[];
  /**
   * The preparation for a model of pictures of some size: lengths are in proportion to those of the configuration.
   * @param imageSize S, in pixels.
   */
  at(imageSize: number): PicturePreparation;
}

/** Longest side that a picture is scaled to, in pixels, as the data have it. */
const LONGEST = 4096;
export const pixels = z.int().positive().max(LONGEST);

/** A preparation whose lengths are those of squares of side `native`. */
export const inProportion =
  (preparation: PicturePreparation, geometry: PictureGeometry, native: number) =>
  (imageSize: number): PicturePreparation => ({
    ...preparation,
    geometry: resizedGeometry(geometry, native, imageSize),
  });

/** The longest length of a geometry, for its bounds. */
export function isTooLong({ geometry }: PicturePreparation): boolean {
  if (geometry === undefined) return false;
  const { kind: _, ...lengths } = geometry.resize;
  return Object.values(lengths).some((length) => length > LONGEST);
}
