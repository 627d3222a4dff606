import { randomStream } from '@winnow/core';
import fc from 'fast-check';
import { type Tokenizer, openTokenizer, promptText, promptWriter, unknownNameNotes } from '../src/index';
import { drawnClasses, promptName, wholePromptLength } from '../src/detected/prompts';
import { wordTokenizer } from '../src/tokenizer/word-tokenizer';
import { describePublished, publishedNote, publishedVocabulary } from './tokenizer/published';

const names = ['cat', 'hot dog', 'sailing_boat', 'bow (weapon)', 'T-shirt'];

test('names are without parentheses and underscores, and joined by full stops', () => {
  expect(promptText(names)).toBe('cat. hot dog. sailing boat. bow. T-shirt');
  expect(promptName('  a_(b) c ')).toBe('a c');
});

async function checkPrompts(opening: Promise<Tokenizer>): Promise<void> {
  const tokenizer = await opening;
  const context = 40;
  const { write, chunks } = promptWriter(tokenizer, names, { context });
  expect(chunks).toHaveLength(1);
  fc.assert(
    fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 1 }), (classes) => {
      const { tokens, named } = write(classes);
      const own = classes.map((index) => names[index] ?? '');
      expect([...tokens]).toEqual([...tokenizer.encode(promptText(own), context)]);
      expect(tokens).toHaveLength(wholePromptLength(tokenizer, own));
      expect(named.map(({ index }) => index)).toEqual(classes);
      named.forEach(({ index, places }) => {
        const alone = tokenizer.encode(promptName(names[index] ?? ''), context);
        expect([...places].map((place) => tokens[place])).toEqual([...alone.subarray(1, -1)]);
      });
    }),
    { numRuns: 20 },
  );
}

test('tokens of a prompt are those of its text, and names have places of their own', () =>
  checkPrompts(Promise.resolve(wordTokenizer([promptText(names)]))));

describePublished(`CLIP's published vocabulary${publishedNote}`, () => {
  test('the same of its pieces', () => checkPrompts(openTokenizer(publishedVocabulary)));
});

test('chunks name every class once, in order, and fit the context', () => {
  const many = Array.from({ length: 23 }, (_, index) => `thing${index}${index % 3 === 0 ? ' small' : ''}`);
  const tokenizer = wordTokenizer([promptText(many)]);
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 80 }), (context) => {
      const { chunks } = promptWriter(tokenizer, many, { context });
      expect(chunks.flatMap(({ named }) => named.map(({ index }) => index))).toEqual([...many.keys()]);
      for (const { tokens } of chunks) expect(tokens.length).toBeLessThanOrEqual(context);
    }),
    { numRuns: 20 },
  );
  const filled = promptWriter(tokenizer, many, { context: 20, fillsContext: true });
  for (const { tokens } of filled.chunks) expect(tokens).toHaveLength(20);
});

test('names that a prompt cannot tell apart, that are empty or too long are refused', () => {
  const tokenizer = wordTokenizer(['cat. dog']);
  const write = (own: readonly string[], context = 20) => promptWriter(tokenizer, own, { context });
  expect(() => write(['cat', 'Cat'])).toThrow(/1 that read the same[^]*'cat' and 'Cat'/);
  expect(() => write(['cat', 'owl', 'yak'])).toThrow(/'owl' and 'yak'[^]*does not know their words/);
  expect(() => write(['cat', '(dog)'])).toThrow(/expected names of classes, but found 1 that are not so/);
  expect(() => write(['cat', 'cat dog cat'], 4)).toThrow(/at most 2 tokens[^]*'cat dog cat'/);
});

test('names with words that the tokenizer does not know are told, but not what stands in parentheses', () => {
  const tokenizer = wordTokenizer(['cat', 'hot dog']);
  expect(unknownNameNotes(tokenizer, ['cat', 'dog (big)'])).toEqual([]);
  expect(unknownNameNotes(tokenizer, ['cat', 'cold dog', 'ow\u200bl'])).toEqual([
    "the vocabulary does not know all words of 2 of 3 classes:\n- cold dog\n- 'ow\\u{200b}l'",
  ]);
});

test('a training asks for all that is there and some of the rest, as many as fit', () => {
  const room = fc.integer({ min: 1, max: 120 });
  const present = fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { maxLength: 8 });
  fc.assert(
    fc.property(fc.integer(), present, room, (seed, own, most) => {
      const chosen = drawnClasses(own, 100, randomStream(seed, 'test'), ({ length }) =>
        Math.min(length, most),
      );
      expect(new Set(chosen).size).toBe(chosen.length);
      expect(chosen.length).toBeLessThanOrEqual(most);
      const asked = own.filter((index) => chosen.includes(index)).length;
      expect(asked).toBe(Math.min(most, own.length));
      expect(chosen.length - asked).toBeLessThanOrEqual(85);
      if (most > own.length) expect(chosen.length).toBeGreaterThan(asked);
    }),
    { numRuns: 50 },
  );
  const counts = Array.from(
    { length: 200 },
    (_, seed) => drawnClasses([3], 11, randomStream(seed, 'test'), ({ length }) => length).length,
  );
  // All of them half of the time, and a tenth of the other half.
  const full = counts.filter((count) => count === 11).length;
  expect(full).toBeGreaterThan(85);
  expect(full).toBeLessThan(135);
});
