import type { Json } from '@winnow/core';

/** Texts into token indices. */
export interface Tokenizer {
  /** V: number of tokens that there are. */
  readonly vocabulary: number;
  /** The token before every text; undefined where there is none. */
  readonly startToken: number | undefined;
  readonly endToken: number;
  /** The token that texts are filled up with: the end token, unless the tokenizer says another. */
  readonly padToken: number;
  /** The token for whatever the vocabulary does not know; undefined where such parts of a text are left out. */
  readonly unknownToken: number | undefined;
  /** All that the tokenizer is, as the content of a `tokenizer.json` of Hugging Face; `tokenizerFrom` makes it again. */
  readonly file: Json;
  /**
   * The text's tokens between the start token, if there is one, and the end token. A text that would need more than `context`
   * tokens is cut as CLIP does: the first `context` − 1 tokens, then the end token.
   * @throws {RangeError} when `context` is not a whole number of at least 2.
   */
  encode(text: string, context: number): Int32Array;
}
