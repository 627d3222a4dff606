/** Texts into token indices. */
export interface Tokenizer {
  /** V: number of tokens that there are. */
  readonly vocabulary: number;
  readonly startToken: number;
  readonly endToken: number;
  /**
   * The text's tokens between the start token and the end token. A text that would need more than `context` tokens is
   * cut as CLIP does: the first `context` − 1 tokens, then the end token.
   */
  encode(text: string, context: number): Int32Array;
}
