import type { PairBatch } from '@winnow/core';
import type { Tokenizer } from '../../src/tokenizer/tokenizer';

const START = 0;
const END = 1;
const LENGTH = 3;

export interface NumberedTexts extends Tokenizer {
  textsIn(batch: PairBatch): string[];
}

/** A tokenizer that knows whole texts, each by a token of its own: what a batch says can be read off its tokens. */
export function numberedTexts(texts: readonly string[]): NumberedTexts {
  const known = [...new Set(texts)];
  const tokens = new Map(known.map((text, index) => [text, index + 2]));
  return {
    vocabulary: known.length + 2,
    startToken: START,
    endToken: END,
    padToken: END,
    unknownToken: undefined,
    file: null,
    encode: (text) => {
      const token = tokens.get(text);
      if (token === undefined) throw new Error(`a text that was not to be expected: '${text}'`);
      return Int32Array.of(START, token, END);
    },
    textsIn: (batch) =>
      Array.from(
        { length: batch.texts },
        (_, row) => known[(batch.tokens[LENGTH * row + 1] ?? END) - 2] ?? 'no text',
      ),
  };
}
