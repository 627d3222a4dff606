import fc from 'fast-check';
import { type Judged, bleu, ciderD, wordsOf } from '../../src/index';

const judgedOf = (candidate: string, ...references: string[]): Judged => ({
  candidate: wordsOf(candidate),
  references: references.map(wordsOf),
});

/** Scores that coco-caption's own scorers give these texts. */
const vector = [
  judgedOf('a red apple on a table', 'a red apple on a table', 'an apple on the table'),
  judgedOf(
    'two dogs in the grass',
    'two dogs run in the grass',
    'dogs play in the grass',
    'two dogs are running',
  ),
  judgedOf('a man a man on a red bicycle', 'a man rides a red bicycle', 'a man on a bicycle'),
];

test('the vector of the published implementation', () => {
  [6.20804, 3.493706, 3.420957].forEach((score, index) =>
    expect(ciderD(vector)[index]).toBeCloseTo(score, 6),
  );
  [0.894737, 0.852628, 0.764813, 0.650401].forEach((score, index) =>
    expect(bleu(vector)[index]).toBeCloseTo(score, 6),
  );
});

const word = fc.constantFrom('a', 'dog', 'cat', 'red', 'on', 'table');
const text = fc.array(word, { minLength: 1, maxLength: 8 });
const judgement = fc.record({ candidate: text, references: fc.array(text, { minLength: 1, maxLength: 3 }) });

test('scores are between nothing and all, and of the order of the texts they say the same', () => {
  fc.assert(
    fc.property(fc.array(judgement, { minLength: 1, maxLength: 5 }), (judged) => {
      const [scores, shares] = [ciderD(judged), bleu(judged)];
      for (const score of scores) expect(score >= 0 && score <= 10 + 1e-9).toBe(true);
      for (const share of shares) expect(share >= 0 && share <= 1 + 1e-9).toBe(true);
      const turned = [...judged].reverse();
      ciderD(turned).forEach((score, index) =>
        expect(score).toBeCloseTo(scores[judged.length - 1 - index] ?? NaN, 9),
      );
      bleu(turned).forEach((share, index) => expect(share).toBeCloseTo(shares[index] ?? NaN, 9));
      const swapped = judged.map(({ candidate, references }) => ({
        candidate,
        references: [...references].reverse(),
      }));
      ciderD(swapped).forEach((score, index) => expect(score).toBeCloseTo(scores[index] ?? NaN, 9));
    }),
  );
});

test('a text that is its only reference is as good as can be, where its words are not those of all', () => {
  const judged = [
    judgedOf('the red dog ran far away', 'the red dog ran far away'),
    judgedOf('one cat', 'two blue birds'),
  ];
  const [best = 0, worst] = ciderD(judged);
  expect(best).toBeCloseTo(10, 9);
  expect(worst).toBe(0);
  expect(bleu(judged.slice(0, 1))[3]).toBeCloseTo(1, 6);
});

test('shorter texts lose BLEU, and of equally close references the shorter counts', () => {
  const [one = 0] = bleu([judgedOf('a b', 'a b c d')]);
  expect(one).toBeCloseTo(Math.exp(1 - 2), 6);
  // Of lengths 1 and 3 the shorter is aimed at: nothing is lost.
  expect(bleu([judgedOf('a b', 'a b c', 'a')])[0]).toBeCloseTo(1, 6);
});

test('words are those of COCO’s evaluation but for contractions', () => {
  expect(wordsOf('A man, riding -- a T-shirt on... "two" (2) dogs; isn’t it?')).toEqual([
    ...['a', 'man', 'riding', 'a', 't-shirt', 'on', 'two', '2', 'dogs', 'isn’t', 'it'],
  ]);
});

test('nothing to judge by is an error', () => {
  expect(() => bleu([])).toThrow('expected texts to judge, got none');
  const bare = [{ candidate: ['a'], references: [] }];
  expect(() => bleu(bare)).toThrow('expected references of every text');
  expect(() => ciderD(bare)).toThrow('expected references of every text');
});
