import type { Tokenizer } from './tokenizer';

/** N texts in one array. */
export interface EncodedTexts {
  /** [N, T]; a text shorter than T is filled up with pad tokens: CLIP's are end tokens, behind which a causal tower never looks. */
  readonly tokens: Int32Array;
  /** T: tokens of the longest text, or the whole context; 0 when there is no text. */
  readonly length: number;
}

/**
 * Every text's tokens, one row a text, as long as the longest of them.
 * @param options `fillsContext` makes all of them as long as the context, for towers that read its last place.
 * @throws {RangeError} when `context` is not a whole number of at least 2.
 */
export function encodeAll(
  tokenizer: Tokenizer,
  texts: readonly string[],
  context: number,
  { fillsContext = false }: { readonly fillsContext?: boolean } = {},
): EncodedTexts {
  const rows = texts.map((text) => tokenizer.encode(text, context));
  const longest = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const length = fillsContext && rows.length > 0 ? context : longest;
  const tokens = new Int32Array(rows.length * length).fill(tokenizer.padToken);
  for (const [index, row] of rows.entries()) tokens.set(row, index * length);
  return { tokens, length };
}
