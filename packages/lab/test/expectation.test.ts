import fc from 'fast-check';
import { expectedScore } from '../src/planning/expectation';

const known = [
  { error: 0, score: 90 },
  { error: 1, score: 80 },
  { error: 3, score: 60 },
];

it('lies on the line between the models that were built, and says nothing beyond them', () => {
  expect(expectedScore(known, 0.5, 100)?.score).toBeCloseTo(85, 9);
  expect(expectedScore(known, 2, 100)?.score).toBeCloseTo(70, 9);
  expect(expectedScore(known, 3, 100)?.score).toBeCloseTo(60, 9);
  expect(expectedScore(known, 3.01, 100)).toBeUndefined();
});

it('is off by the sampling of examples, and by what the line misses when it does not know a model', () => {
  // These three lie on one line: nothing is missed.
  expect(expectedScore(known, 3, 400)?.plusMinus).toBeCloseTo(100 * Math.sqrt((0.6 * 0.4) / 400), 9);
  const bent = [...known, { error: 2, score: 76 }];
  // Without it 70 would be expected at 2, and without that at 1 there would be 83 in place of 80.
  expect(expectedScore(bent, 3, Infinity)?.plusMinus).toBeCloseTo(6, 9);
});

it('is never outside of the scores that were built, and no more certain with fewer examples', () => {
  const scores = fc.array(
    fc.record({ error: fc.integer({ min: 1, max: 50 }), score: fc.integer({ min: 0, max: 100 }) }),
    {
      minLength: 1,
      maxLength: 5,
    },
  );
  fc.assert(
    fc.property(scores, fc.float({ min: 0, max: 50, noNaN: true }), (built, error) => {
      const all = [{ error: 0, score: 95 }, ...built];
      const [few, many] = [expectedScore(all, error, 10), expectedScore(all, error, 1000)];
      if (few === undefined || many === undefined) {
        expect(error).toBeGreaterThan(Math.max(...built.map((own) => own.error)));
        return;
      }
      expect(few.score).toBeGreaterThanOrEqual(Math.min(...all.map(({ score }) => score)) - 1e-9);
      expect(few.score).toBeLessThanOrEqual(Math.max(...all.map(({ score }) => score)) + 1e-9);
      expect(few.plusMinus).toBeGreaterThanOrEqual(many.plusMinus);
    }),
  );
});
