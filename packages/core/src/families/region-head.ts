import { z } from 'zod';
import { count } from './schemas';

/**
 * The answer of a model to a text and regions:
 * - `answers`: logits of so many answers.
 * - `statements`: whether a statement is true of two pictures.
 * - `retrieval`: one score of how well both belong together.
 * - `expressions`: which of the regions a text means.
 * - `pre-training`: whether they belong together, what was hidden of words and of regions, and of an LXMERT answers to questions.
 */
export type RegionHead =
  | { readonly kind: 'answers'; readonly answers: number }
  | { readonly kind: 'statements' }
  | { readonly kind: 'retrieval' }
  | { readonly kind: 'expressions' }
  | PreTrainingHead;

/** A head for pre-training. */
export interface PreTrainingHead {
  readonly kind: 'pre-training';
  /** C: classes of hidden regions that are told apart; without it they are not asked for. */
  readonly classes?: number;
  /** A: answers to questions that are told apart, by the head that a model for answers has; without it nothing is asked. */
  readonly answers?: number;
}

const others = [
  z.strictObject({ kind: z.literal('statements') }),
  z.strictObject({ kind: z.literal('expressions') }),
  z.strictObject({
    kind: z.literal('pre-training'),
    classes: count.exactOptional(),
    answers: count.exactOptional(),
  }),
] as const;

/** Reads a head that is not for answers, of a model without one for retrieval. */
export const otherHeadSchema = z.union(
  others,
  'expected a head for statements, for expressions or for pre-training',
);

/** Reads a head. */
export const regionHeadSchema = z.union(
  [
    z.strictObject({ kind: z.literal('answers'), answers: count }),
    z.strictObject({ kind: z.literal('retrieval') }),
    ...others,
  ],
  'expected a head for answers with their number, for statements, for retrieval, for expressions or for pre-training',
);

/** The pictures that an example of a head has. */
export const picturesOfRegionHead = ({ kind }: RegionHead): 1 | 2 => (kind === 'statements' ? 2 : 1);
