import { type Tensor2D, type Tensor3D, tensor2d, tensor3d } from '@tensorflow/tfjs-core';
import type { PictureRegions } from '../data/dataset';

/** Sizes of the regions that a model reads. */
export interface RegionShape {
  /** F: numbers that say what a region shows. */
  readonly features: number;
  /** P: numbers that say where it is, 4 (LXMERT) or 7 (UNITER). */
  readonly places: number;
}

const SIDES = 4;

/**
 * Where regions are, as a model reads it: left, top, right and bottom (LXMERT), and with seven numbers the width, the height and the
 * area, too (UNITER, Section 3.1); all in shares of the picture.
 * @param boxes [N, 4] @returns [N, P]
 * @throws {RangeError} when there are to be others than 4 or 7 numbers.
 */
export function placesOf(boxes: Float32Array, places: number): Float32Array {
  if (places === SIDES) return boxes;
  if (places !== SIDES + 3)
    throw new RangeError(`expected 4 or 7 numbers for the place of a region, got ${places}`);
  const count = boxes.length / SIDES;
  const found = new Float32Array(count * places);
  for (let region = 0; region < count; region++) {
    const [left = 0, top = 0, right = 0, bottom = 0] = boxes.subarray(region * SIDES, (region + 1) * SIDES);
    const [width, height] = [right - left, bottom - top];
    found.set([left, top, right, bottom, width, height, width * height], region * places);
  }
  return found;
}

/** Uploads the regions of a batch. Call it in a tidy. */
export const regionInputs =
  ({ features: F, places }: RegionShape) =>
  ({
    size,
    regions: { count, features, boxes, real },
  }: {
    readonly size: number;
    readonly regions: PictureRegions;
  }): { features: Tensor3D; places: Tensor3D; counts: Tensor2D } => ({
    features: tensor3d(features, [size, count, F]),
    places: tensor3d(placesOf(boxes, places), [size, count, places]),
    counts: tensor2d(real, [size, count]),
  });

/** A copy of the regions of pictures `from` to `to`. */
export function regionsBetween(
  { count, features, boxes, real }: PictureRegions,
  from: number,
  to: number,
): PictureRegions {
  const own = (values: Float32Array, each: number): Float32Array =>
    values.slice(from * count * each, to * count * each);
  return {
    count,
    features: own(features, real.length === 0 ? 0 : features.length / real.length),
    boxes: own(boxes, SIDES),
    real: own(real, 1),
  };
}
