import type { EntailmentBatch } from '@winnow/core';
import {
  type FoundTold,
  type TokenizedToldData,
  type ToldPicture,
  type ToldPictureOptions,
  toldData,
} from './told-data';

/**
 * The answers of a picture to a statement: that it is false, that it is true, or neither; in the order of the logits, as UNITER numbers them
 * (ChenRocks/UNITER, `utils/misc.py`).
 */
export const entailmentLabels = ['contradiction', 'entailment', 'neutral'] as const;
export type EntailmentLabel = (typeof entailmentLabels)[number];

/** A picture and a statement. */
export interface EntailmentExample extends ToldPicture {
  readonly label: EntailmentLabel;
}

export type FoundEntailment = FoundTold<EntailmentExample>;
export type TokenizedEntailmentData = TokenizedToldData<EntailmentBatch>;

/** Places of labels among all. */
export const judgementsOf = (examples: readonly EntailmentExample[]) => ({
  labels: Int32Array.from(examples, ({ label }) => entailmentLabels.indexOf(label)),
});

/**
 * Statements about a picture each as data for training and evaluation.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 * @throws {DataError} on broken files with `preload`.
 */
export const entailmentData = (
  found: FoundEntailment,
  options: ToldPictureOptions,
): Promise<TokenizedEntailmentData> => toldData(found, options, judgementsOf);
