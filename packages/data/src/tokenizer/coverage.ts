import type { Tokenizer } from './tokenizer';

/** Counts of what a tokenizer makes of texts. */
export interface TextCoverage {
  readonly texts: number;
  /** Tokens of all texts, without their start and end. */
  readonly tokens: number;
  /** Tokens in the place of what the vocabulary does not know. */
  readonly unknown: number;
  /** Texts of which nothing at all is known. */
  readonly unknownTexts: number;
  /** Texts that are longer than the context, and cut. */
  readonly cutTexts: number;
  /** Texts with U+FFFD, the sign for a character that was lost when the text was converted. */
  readonly damagedTexts: number;
}

/** @param context Longest text in tokens, start and end included. */
export function textCoverage(tokenizer: Tokenizer, texts: readonly string[], context: number): TextCoverage {
  const counts = { tokens: 0, unknown: 0, unknownTexts: 0, cutTexts: 0, damagedTexts: 0 };
  const before = tokenizer.startToken === undefined ? 0 : 1;
  for (const text of texts) {
    // One token more than there is room for tells a text that is cut from one that fits.
    const tokens = tokenizer.encode(text, context + 1).subarray(before, -1);
    const unknown = tokens.filter((token) => token === tokenizer.unknownToken).length;
    counts.tokens += tokens.length;
    counts.unknown += unknown;
    if (unknown === tokens.length) counts.unknownTexts++;
    if (before + tokens.length + 1 > context) counts.cutTexts++;
    if (text.includes('\ufffd')) counts.damagedTexts++;
  }
  return { texts: texts.length, ...counts };
}
