import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { openTokenizer, spanTokens, wordTokenizer } from '../src/index';

const shared = process.env['WINNOW_SHARED'] ?? fileURLToPath(new URL('../../../../shared', import.meta.url));
const published = join(shared, 'data', 'clip-bpe', 'bpe_simple_vocab_16e6.txt.gz');
const whenShared = existsSync(published) ? test : test.skip;
const CONTEXT = 77;

test('spans of words are the tokens of these words', () => {
  const word = fc.constantFrom('cat', 'red', 'key', 'left', 'of');
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 8 }), fc.nat(), fc.nat(), (words, a, b) => {
      const [first, last] = [a % words.length, b % words.length].sort((one, other) => one - other) as [
        number,
        number,
      ];
      const text = words.join(' ');
      const start = words.slice(0, first).reduce((sum, own) => sum + own.length + 1, 0);
      const end = start + words.slice(first, last + 1).join(' ').length;
      const tokens = spanTokens(wordTokenizer([text]), text, { start, end }, CONTEXT);
      expect(tokens).toEqual(Array.from({ length: last - first + 1 }, (_, offset) => 1 + first + offset));
    }),
  );
});

test('spaces at a boundary are passed over, two of them and no more; what is cut off has no tokens', () => {
  const text = 'a red  key   left';
  const own = (start: number, end: number, context = CONTEXT) =>
    spanTokens(wordTokenizer([text]), text, { start, end }, context);
  expect(own(5, 10)).toEqual([3]); // two spaces, then key
  expect(own(2, 6)).toEqual([2]); // red and a space
  expect(own(10, 17)).toEqual([]); // three spaces
  expect(own(4, 4)).toEqual([]);
  expect(own(3, 4)).toEqual([2]); // a part of red
  expect(own(13, 17)).toEqual([4]);
  expect(own(13, 17, 5)).toEqual([]);
});

whenShared(
  'with CLIP’s byte pairs, punctuation is a token of its own, and a long word has several',
  async () => {
    const tokenizer = await openTokenizer(published);
    const text = 'the cat, a doughnutlike astronaut.  ';
    const of = (part: string, more = 0) => {
      const start = text.indexOf(part);
      return spanTokens(tokenizer, text, { start, end: start + part.length + more }, CONTEXT);
    };
    const all = tokenizer.encode(text, CONTEXT);
    expect(of('the')).toEqual([1]);
    expect(of('cat')).toEqual([2]);
    expect(of('cat,')).toEqual([2, 3]);
    expect(of('doughnutlike').length).toBeGreaterThan(1);
    const last = all.length - 2; // before the end token
    expect(of('.', 2)).toEqual([last]);
    expect(of('astronaut').at(-1)).toBe(last - 1);
  },
);
