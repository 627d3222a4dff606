import { type PictureRegions, iou } from '@winnow/core';
import type { ClassedObject } from '../grounded/told-data';

/** A region that overlaps an object by this much shows it. */
const SHOWS = 0.5;
const SIDES = 4;

/**
 * The class of each region of a picture of a batch, [R]: one more than that of the object that it overlaps best, if it shows it, and 0 for
 * nothing in particular.
 */
export function classesOfRegions(
  { count, boxes }: Pick<PictureRegions, 'count' | 'boxes'>,
  picture: number,
  objects: readonly ClassedObject[],
): readonly number[] {
  const truths = objects.flatMap(({ box }) => [...box]);
  return Array.from({ length: count }, (_, region) => {
    const place = picture * count + region;
    const overlaps = objects.map((__, object) =>
      iou(boxes.subarray(place * SIDES, (place + 1) * SIDES), 0, truths, object),
    );
    const most = Math.max(0, ...overlaps);
    const shown = objects[overlaps.indexOf(most)];
    return most >= SHOWS && shown !== undefined ? shown.index + 1 : 0;
  });
}
