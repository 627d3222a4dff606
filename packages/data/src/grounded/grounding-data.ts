import type { GroundingBatch } from '@winnow/core';
import { spanTokens } from '../tokenizer/span-tokens';
import type { FoundGroundings, GroundedExample, GroundedObject } from './grounded-example';
import { type TextReading, type TokenizedToldData, type ToldPictureOptions, toldData } from './told-data';

export type GroundingDataOptions = ToldPictureOptions;

/** Pictures with texts and the boxes of what they name. */
export interface TokenizedGroundingData extends TokenizedToldData<GroundingBatch> {
  /** Whether held-out texts name several things, or one thing in several places; otherwise each means one object. */
  readonly phrases: boolean;
}

/** Left, top, right and bottom → centre x and y, width and height. */
const centred = ({ box: [left, top, right, bottom] }: GroundedObject): readonly number[] => [
  (left + right) / 2,
  (top + bottom) / 2,
  right - left,
  bottom - top,
];

/** The objects that some texts name, with the places of the tokens that name them. */
function objectsOf(examples: readonly GroundedExample[], { tokenizer, context }: TextReading) {
  const tokensOf = (text: string, { spans }: GroundedObject): Int32Array =>
    Int32Array.from(new Set(spans.flatMap((span) => spanTokens(tokenizer, text, span, context))));
  const named = examples.flatMap(({ text, objects }, example) =>
    objects.map((object) => ({ text, object, example })),
  );
  return {
    objects: {
      boxes: Float32Array.from(named.flatMap(({ object }) => centred(object))),
      examples: Int32Array.from(named, ({ example }) => example),
      tokens: named.map(({ text, object }) => tokensOf(text, object)),
    },
  };
}

/**
 * Grounded texts as data for training and evaluation.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 * @throws {DataError} on broken files with `preload`.
 */
export async function groundingData(
  found: FoundGroundings,
  options: GroundingDataOptions,
): Promise<TokenizedGroundingData> {
  const several = ({ objects }: GroundedExample): boolean => objects.length > 1;
  return {
    ...(await toldData(found, options, objectsOf)),
    phrases: found.splits.validation.some(several) || found.splits.test.some(several),
  };
}
