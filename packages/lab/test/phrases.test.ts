import { wordTokenizer } from '@winnow/data';
import { phraseOf, wordsOf } from '../src/prediction/phrases';

const text = 'the red dog, left';
const tokenizer = wordTokenizer([text]);
const CONTEXT = 8;
const words = wordsOf(tokenizer, text, CONTEXT);
/** Probability at some places of the text, nearly none elsewhere. */
const places = (named: readonly number[]) =>
  Array.from({ length: CONTEXT }, (_, place) => (named.includes(place) ? 0.4 : 0.001));

test('words are named by the places of their tokens, behind the start token; a comma belongs to its word', () => {
  expect(words.words.map(({ places: own }) => own)).toEqual([[1], [2], [3, 4], [5]]);
  expect(phraseOf(words, { places: places([2, 3]) })).toEqual({
    phrase: 'red dog,',
    spans: [
      { start: 4, end: 7 },
      { start: 8, end: 12 },
    ],
  });
});

test('where no word stands out it is the whole text', () => {
  expect(phraseOf(words, { places: places([7]) })).toEqual({
    phrase: text,
    spans: [{ start: 0, end: text.length }],
  });
});

test('words beyond the context name nothing', () => {
  const short = wordsOf(tokenizer, text, 3);
  expect(short.words.map(({ places: own }) => own)).toEqual([[1], [], [], []]);
});
