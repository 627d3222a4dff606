import { BOX, cornersOf } from '../boxes/box';
import { probabilities } from './grounding-matching';
import type { HostPrediction } from './task';

/** The queries of an MDETR on one example: their boxes, by corners [Q, 4], and the probabilities of each, [K]. */
export interface ToldQueries {
  readonly boxes: Float64Array;
  readonly probabilities: readonly Float64Array[];
}

/** Reads what was found on each of so many examples. @throws {TypeError} when the model finds no boxes. */
export function toldQueries({ logits, boxes }: HostPrediction, size: number): readonly ToldQueries[] {
  if (logits?.dtype !== 'float32' || boxes?.dtype !== 'float32')
    throw new TypeError('grounding: no boxes were predicted');
  const { values } = logits;
  const queries = boxes.values.length / BOX / size;
  const classes = values.length / (queries * size);
  const corners = cornersOf(Float32Array.from(boxes.values));
  return Array.from({ length: size }, (_, example) => ({
    boxes: corners.slice(example * queries * BOX, (example + 1) * queries * BOX),
    probabilities: Array.from({ length: queries }, (_, query) => {
      const row = (example * queries + query) * classes;
      return probabilities(values.slice(row, row + classes));
    }),
  }));
}

/** The boxes of some objects by their corners, [N, 4] each. */
export const boxesOf = (corners: Float64Array, objects: readonly number[]): Float64Array =>
  Float64Array.from(objects.flatMap((object) => [...corners.subarray(object * BOX, (object + 1) * BOX)]));
