import fc from 'fast-check';
import { type HostTensor, groundedBoxes } from '../../src/index';

const tensor = (shape: readonly number[], values: readonly number[]): HostTensor => ({
  ...{ dtype: 'float32', shape, values: Float32Array.from(values) },
});

const [EXAMPLES, QUERIES, PLACES] = [2, 3, 4];
const rows = EXAMPLES * QUERIES;
const logit = fc.float({ min: -8, max: 8, noNaN: true });
const share = fc.float({ min: 0, max: 1, noNaN: true });

test('boxes lie within their pictures, the surest first, and their probabilities add up to 1 with "no object"', () => {
  fc.assert(
    fc.property(
      fc.array(logit, { minLength: rows * PLACES, maxLength: rows * PLACES }),
      fc.array(share, { minLength: rows * 4, maxLength: rows * 4 }),
      (logits, boxes) => {
        const found = groundedBoxes(
          { logits: tensor([rows, PLACES], logits), boxes: tensor([rows, 4], boxes) },
          EXAMPLES,
        );
        expect(found.map(({ length }) => length)).toEqual([QUERIES, QUERIES]);
        for (const own of found) {
          const certainties = own.map(({ certainty }) => certainty);
          expect(certainties).toEqual([...certainties].sort((a, b) => b - a));
          for (const { box, certainty, places } of own) {
            expect(box.every((corner) => corner >= 0 && corner <= 1)).toBe(true);
            expect(places.reduce((sum, each) => sum + each, 0)).toBeCloseTo(certainty, 6);
          }
        }
      },
    ),
    { numRuns: 30 },
  );
});

test('a box of known centre and sides, and the place that names it', () => {
  const logits = tensor([1, 3], [0, 5, -5]);
  const [[found] = []] = groundedBoxes({ logits, boxes: tensor([1, 4], [0.5, 0.25, 0.5, 0.25]) }, 1);
  expect(found?.box).toEqual([0.25, 0.125, 0.75, 0.375]);
  expect(found?.places[1]).toBeGreaterThan(0.99);
  expect(() => groundedBoxes({}, 1)).toThrow('finds objects');
});
