import fc from 'fast-check';
import { type GroundingBatch, type HostPrediction, centredOf } from '../../src/index';
import { phraseScorer } from '../../src/task/phrase-scorer';

const [Q, K] = [3, 5];

/** A prediction for one picture, of queries with the boxes given by their corners and the likeliest token of each. */
function told(corners: readonly number[][], tokens: readonly number[]): HostPrediction {
  const logits = Float32Array.from({ length: Q * K }, (_, at) =>
    tokens[Math.floor(at / K)] === at % K ? 4 : 0 * (tokens[Math.floor(at / K)] ?? 0),
  );
  const boxes = Float32Array.from(centredOf(corners.flat()));
  return {
    logits: { dtype: 'float32', shape: [Q, K], values: logits },
    boxes: { dtype: 'float32', shape: [Q, 4], values: boxes },
  };
}

/** A picture whose text names things by tokens. */
function batch(things: readonly { corners: number[]; tokens: number[] }[]): GroundingBatch {
  return {
    size: 1,
    images: new Float32Array(),
    texts: 1,
    tokens: new Int32Array(),
    objects: {
      boxes: Float32Array.from(centredOf(things.flatMap(({ corners }) => corners))),
      examples: Int32Array.from(things, () => 0),
      tokens: things.map(({ tokens }) => Int32Array.from(tokens)),
    },
  };
}

const [left, right, both] = [
  [0, 0, 0.4, 1],
  [0.6, 0, 1, 1],
  [0, 0, 1, 1],
];

test('of a phrase with two boxes, any of them is right by one rule, and the box around both by the other', async () => {
  const keys = [
    { corners: left, tokens: [1, 2] },
    { corners: right, tokens: [1, 2] },
  ];
  const scoresOf = async (first: number[]) => {
    const scorer = phraseScorer();
    await scorer.add(told([first, [0, 0, 0.1, 0.1], [0.9, 0.9, 1, 1]], [2, 4, 4]), batch(keys));
    return scorer.scores();
  };
  expect(await scoresOf(left)).toMatchObject({ any1: 100, merged1: 0, anyAll: 100, mergedAll: 0 });
  expect(await scoresOf(both)).toMatchObject({ any1: 0, merged1: 100, anyAll: 0, mergedAll: 100 });
});

test('each phrase takes the boxes by its own tokens, and counts once', async () => {
  const scorer = phraseScorer();
  const things = [
    { corners: left, tokens: [1] },
    { corners: right, tokens: [2, 3] },
    { corners: [0.6, 0, 0.9, 1], tokens: [2, 3] },
  ];
  await scorer.add(told([right, left, [0, 0, 0.1, 0.1]], [3, 1, 4]), batch(things));
  expect(scorer.scores()).toMatchObject({ any1: 100, any5: 100, any10: 100 });
  const wrong = phraseScorer();
  await wrong.add(told([right, left, [0, 0, 0.1, 0.1]], [1, 3, 4]), batch(things));
  expect(wrong.scores()).toMatchObject({ any1: 0, any5: 100 });
});

test('recall grows with the boxes looked at, and what is not a number finds nothing first', () => {
  const share = fc.double({ min: 0, max: 0.5, noNaN: true });
  const corners = fc
    .tuple(share, share, share, share)
    .map(([x, y, width, height]) => [x, y, x + width + 0.01, y + height + 0.01]);
  fc.assert(
    fc.property(
      fc.array(corners, { minLength: Q, maxLength: Q }),
      fc.array(corners, { minLength: 1, maxLength: 4 }),
      fc.array(fc.constantFrom(0, 1, 2, Number.NaN), { minLength: Q, maxLength: Q }),
      (boxes, truths, tokens) => {
        const scorer = phraseScorer();
        void scorer.add(
          told(boxes, tokens),
          batch(truths.map((own, index) => ({ corners: own, tokens: [index % 2] }))),
        );
        const scores = scorer.scores() as Record<string, number>;
        for (const rule of ['any', 'merged']) {
          const recalls = ['1', '5', '10', 'All'].map((cutoff) => scores[`${rule}${cutoff}`] ?? Number.NaN);
          recalls.forEach((recall, index) => {
            expect(recall).toBeGreaterThanOrEqual(recalls[index - 1] ?? 0);
            expect(recall).toBeLessThanOrEqual(100);
          });
        }
      },
    ),
    { numRuns: 50 },
  );
});
