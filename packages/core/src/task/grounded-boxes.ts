import { BOX, cornersOf } from '../boxes/box';
import type { HostPrediction } from './task';

/** A place of a picture that a text may mean. */
export interface GroundedBox {
  /** Left, top, right and bottom, in shares of the picture's width and height; within it. */
  readonly box: readonly [left: number, top: number, right: number, bottom: number];
  /** 1 − the probability of "no object". */
  readonly certainty: number;
  /** The probability of each place of the text, by which tokens name it; T of them. */
  readonly places: readonly number[];
}

/**
 * Boxes of a model that finds objects, of each example the surest first (Kamath et al., 2021, Section 2.2: tokens that a query is about).
 * @param examples B: how many there are.
 * @throws {RangeError} when the prediction is not about objects.
 */
export function groundedBoxes({ logits, boxes }: HostPrediction, examples: number): GroundedBox[][] {
  if (logits?.dtype !== 'float32' || boxes?.dtype !== 'float32')
    throw new RangeError('expected a model that finds objects');
  const queries = boxes.values.length / BOX / examples;
  const places = logits.values.length / (queries * examples);
  const corners = cornersOf(Float32Array.from(boxes.values)).map((share) => Math.min(1, Math.max(0, share)));
  return Array.from({ length: examples }, (_, example) =>
    Array.from({ length: queries }, (_, query) => {
      const row = example * queries + query;
      const shares = softmaxOf(Array.from(logits.values.slice(row * places, (row + 1) * places)));
      const [left = 0, top = 0, right = 0, bottom = 0] = corners.subarray(row * BOX, (row + 1) * BOX);
      return {
        box: [left, top, right, bottom] as const,
        certainty: 1 - (shares.at(-1) ?? 1),
        places: shares.slice(0, -1),
      };
    }).sort((one, other) => other.certainty - one.certainty),
  );
}

function softmaxOf(logits: readonly number[]): number[] {
  const highest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
