import { normalisedForWords, wellFormed, words } from './text';
import type { Tokenizer } from './tokenizer';
import { specialToken, tokenizerFile, wordNormalizer, wordPreTokenizer } from './tokenizer-file';
import { tokenizerFrom } from './tokenizer-from';

const UNKNOWN = '<|unknown|>';
const START = '<|startoftext|>';
const END = '<|endoftext|>';
/** Where a text is cut before its words are looked for. */
const SPECIAL = /<\|(?:unknown|startoftext|endoftext)\|>/u;

/**
 * A token for every word that occurs in the texts, whatever its case: unknown, start, the words in order of their UTF-16,
 * end. The same words make the same tokenizer, in whatever order and however often they come.
 */
export function wordTokenizer(texts: readonly string[]): Tokenizer {
  const parts = texts.flatMap((text) => wellFormed(text).split(SPECIAL));
  const found = new Set(parts.flatMap((part) => words(normalisedForWords(part))));
  const tokens = [UNKNOWN, START, ...[...found].sort(), END];
  const unknown = 0;
  const start = 1;
  const end = tokens.length - 1;
  const before = { SpecialToken: { id: START, type_id: 0 } };
  const text = { Sequence: { id: 'A', type_id: 0 } };
  const after = { SpecialToken: { id: END, type_id: 0 } };
  const second = { Sequence: { id: 'B', type_id: 1 } };
  const afterSecond = { SpecialToken: { id: END, type_id: 1 } };
  const file = tokenizerFile({
    added_tokens: [specialToken(UNKNOWN, unknown), specialToken(START, start), specialToken(END, end)],
    normalizer: wordNormalizer,
    pre_tokenizer: wordPreTokenizer,
    post_processor: {
      type: 'TemplateProcessing',
      single: [before, text, after],
      pair: [before, text, after, second, afterSecond],
      special_tokens: {
        [START]: { id: START, ids: [start], tokens: [START] },
        [END]: { id: END, ids: [end], tokens: [END] },
      },
    },
    decoder: null,
    model: {
      type: 'WordLevel',
      vocab: Object.fromEntries(tokens.map((token, index) => [token, index])),
      unk_token: UNKNOWN,
    },
  });
  return tokenizerFrom(file);
}
