import { type Tokenizer, wordTokenizer } from '../../src/index';
import { byteCharacters } from '../../src/tokenizer/byte-pairs';
import { clipTokenizerOver } from '../../src/tokenizer/clip-tokenizer';

const MERGES = [
  ['t', 'h'],
  ['a', 'n</w>'],
  ['th', 'e</w>'],
  ['i', 'n'],
  ['t', 'he'],
  ['h', 'e'],
  ['in', 'g</w>'],
  ['a', 'a'],
  ['aa', 'aa'],
  ['aa', 'a</w>'],
  ['Ã', '©</w>'],
  ['<', '|</w>'],
] as const;

const bytes = [...byteCharacters.values()];

/** CLIP's way of encoding with very few merges: tokens, and those to be joined. */
export const smallTokens: readonly string[] = [
  ...bytes,
  ...bytes.map((byte) => `${byte}</w>`),
  ...new Set(MERGES.map(([left, right]) => left + right)),
  '<|startoftext|>',
  '<|endoftext|>',
];
export const smallMerges: readonly (readonly [string, string])[] = MERGES;

export function smallClipTokenizer(): Tokenizer {
  return clipTokenizerOver(new Map(smallTokens.map((token, index) => [token, index])), smallMerges, 'a test');
}

export const smallTokenizers: readonly (readonly [string, Tokenizer])[] = [
  ['byte pairs', smallClipTokenizer()],
  ['words', wordTokenizer(['GRINNING FACE', 'MAN: BEARD', 'the thing in an aaaaa'])],
];
