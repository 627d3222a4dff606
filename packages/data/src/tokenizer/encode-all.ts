import type { Tokenizer } from './tokenizer';

/** N texts in one array. */
export interface EncodedTexts {
  /** [N, T]; a text shorter than T is followed by end tokens, which a causal tower never looks at. */
  readonly tokens: Int32Array;
  /** T: tokens of the longest text; 0 when there is no text. */
  readonly length: number;
}

/**
 * Every text's tokens, one row a text, as long as the longest of them.
 * @throws {RangeError} when `context` is not a whole number of at least 2.
 */
export function encodeAll(tokenizer: Tokenizer, texts: readonly string[], context: number): EncodedTexts {
  const rows = texts.map((text) => tokenizer.encode(text, context));
  const length = rows.reduce((longest, row) => Math.max(longest, row.length), 0);
  const tokens = new Int32Array(rows.length * length).fill(tokenizer.endToken);
  for (const [index, row] of rows.entries()) tokens.set(row, index * length);
  return { tokens, length };
}
