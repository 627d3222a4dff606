import type { Scores } from './task';

/** The label of pixels that do not count. */
export const IGNORED = 255;

/** Counts of the pixels of a class, row by row, that were taken for another, column by column; the last column is for no answer. [K, K + 1] */
export type Confusion = Float64Array<ArrayBuffer>;

export const noConfusion = (classes: number): Confusion => new Float64Array(classes * (classes + 1));

/**
 * Adds pixels to a confusion: of truth and prediction, a class each. Pixels whose truth is 255 are left out; a prediction that is no
 * class is wrong.
 * @throws {RangeError} when the lengths differ, or a truth is no class.
 */
export function confusionOf(
  truth: Uint8Array,
  predicted: ArrayLike<number>,
  classes: number,
  into: Confusion = noConfusion(classes),
): Confusion {
  if (truth.length !== predicted.length)
    throw new RangeError(`expected ${truth.length} predicted pixels, got ${predicted.length}`);
  for (let pixel = 0; pixel < truth.length; pixel++) {
    const label = truth[pixel] ?? IGNORED;
    if (label === IGNORED) continue;
    if (label >= classes) throw new RangeError(`expected a class below ${classes}, got ${label}`);
    const taken = Math.min(classes, predicted[pixel] ?? classes);
    const at = label * (classes + 1) + taken;
    into[at] = (into[at] ?? 0) + 1;
  }
  return into;
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Percentages of one confusion over all pixels of all pictures: the mean over classes of intersection over union, over those that occur
 * in truth or prediction (`meanIoU`); of the pixels that are right (`pixelAccuracy`); and the mean over classes that occur in truth of
 * the share of their pixels that are right (`meanClassAccuracy`).
 */
export function segmentationScores(confusion: Confusion, classes: number): Scores {
  const at = (label: number, taken: number): number => confusion[label * (classes + 1) + taken] ?? 0;
  const indices = Array.from({ length: classes }, (_, index) => index);
  const each = indices.map((index) => {
    const right = at(index, index);
    const truth = [...indices, classes].reduce((sum, taken) => sum + at(index, taken), 0);
    const predicted = indices.reduce((sum, label) => sum + at(label, index), 0);
    return { right, truth, union: truth + predicted - right };
  });
  const pixels = each.reduce((sum, { truth }) => sum + truth, 0);
  const right = each.reduce((sum, own) => sum + own.right, 0);
  const share = (part: number, whole: number) => (100 * part) / whole;
  return {
    meanIoU: mean(each.filter(({ union }) => union > 0).map((own) => share(own.right, own.union))),
    pixelAccuracy: pixels === 0 ? 0 : share(right, pixels),
    meanClassAccuracy: mean(each.filter(({ truth }) => truth > 0).map((own) => share(own.right, own.truth))),
  };
}
