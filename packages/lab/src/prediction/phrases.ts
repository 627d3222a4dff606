import type { GroundedBox } from '@winnow/core';
import { type CharacterSpan, type Tokenizer, spanTokens } from '@winnow/data';

/** Tokens with less of a box's probability do not name it, as in MDETR's own demonstration. */
const LEAST = 0.1;

/** The words of a text, by their characters, with the places of their tokens. */
export interface Words {
  readonly text: string;
  readonly words: readonly { readonly span: CharacterSpan; readonly places: readonly number[] }[];
}

/** @param context Tokens of the longest text; words beyond it have none. */
export const wordsOf = (tokenizer: Tokenizer, text: string, context: number): Words => ({
  text,
  words: [...text.matchAll(/\S+/gu)].map(({ index, 0: word }) => {
    const span = { start: index, end: index + word.length };
    return { span, places: spanTokens(tokenizer, text, span, context) };
  }),
});

/** The words that name a box, in the order of the text; all of it where none stands out. */
export function phraseOf(
  { text, words }: Words,
  { places }: Pick<GroundedBox, 'places'>,
): { readonly phrase: string; readonly spans: readonly CharacterSpan[] } {
  const total = places.reduce((sum, share) => sum + share, 0);
  const named = words.filter(({ places: own }) => own.some((place) => (places[place] ?? 0) / total >= LEAST));
  const spans = named.map(({ span }) => span);
  const phrase = spans.map(({ start, end }) => text.slice(start, end)).join(' ');
  return phrase === '' ? { phrase: text, spans: [{ start: 0, end: text.length }] } : { phrase, spans };
}
