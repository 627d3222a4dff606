import { type Scalar, type Tensor2D, tensor2d, tidy } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { randomStream, retrieval } from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { plainSigmoidCrossEntropy } from '../operations/plain';
import { batchOf, table } from './pair-table';

const pairwise = retrieval(table, { imageSize: 1, channels: 1, loss: 'sigmoid' });

describeOnEveryEngine('the sigmoid loss', () => {
  const valueOf = (compute: (logits: Tensor2D) => Scalar, logits: readonly number[], rows: number): number =>
    tidy(() => compute(tensor2d([...logits], [rows, logits.length / rows])).dataSync<'float32'>()[0] ?? NaN);
  const batches = fc.record({
    images: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 6 }),
    texts: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 6 }),
    seed: fc.nat(),
  });
  const drawn = (rows: number, columns: number, seed: number): number[] => {
    const random = randomStream(seed, 'logits');
    return Array.from({ length: rows * columns }, () => Math.fround(4 * random.normal()));
  };

  it('sums over all pairs, right where the groups are the same, over the pictures', () => {
    fc.assert(
      fc.property(batches, ({ images, texts, seed }) => {
        const logits = drawn(images.length, texts.length, seed);
        const targets = images.flatMap((group) => texts.map((other) => Number(other === group)));
        const [expected] = plainSigmoidCrossEntropy(texts.length, targets)(logits);
        const batch = batchOf(images, texts);
        const loss = valueOf((matrix) => pairwise.loss({ logits: matrix }, batch), logits, images.length);
        expect(loss).toBeCloseTo(expected ?? NaN, 3);
      }),
      { numRuns: 40 },
    );
  });

  it('overflows nowhere', () => {
    const batch = batchOf([0, 1], [0, 1]);
    const loss = valueOf((logits) => pairwise.loss({ logits }, batch), [200, -300, -200, 100], 2);
    expect(loss).toBe(0);
    expect(valueOf((logits) => pairwise.loss({ logits }, batch), [-200, 300, 0, 100], 2)).toBeCloseTo(
      (500 + Math.log(2)) / 2,
      3,
    );
  });

  it('diverges by nothing from itself, by the same either way from another, and less from a nearer one', () => {
    fc.assert(
      fc.property(batches, ({ images, texts, seed }) => {
        const batch = batchOf(images, texts);
        const [one, other] = [
          drawn(images.length, texts.length, seed),
          drawn(images.length, texts.length, seed + 1),
        ];
        const near = one.map((value, i) => value + ((other[i] ?? 0) - value) / 8);
        const apart = (a: readonly number[], b: readonly number[]) =>
          valueOf(
            (logits) =>
              pairwise.divergence(
                { logits },
                { logits: tensor2d([...b], [images.length, texts.length]) },
                batch,
              ),
            a,
            images.length,
          );
        expect(apart(one, one)).toBe(0);
        expect(apart(one, other)).toBeCloseTo(apart(other, one), 3);
        expect(apart(one, near)).toBeGreaterThanOrEqual(0);
        expect(apart(one, near)).toBeLessThanOrEqual(apart(one, other) + 1e-5);
      }),
      { numRuns: 20 },
    );
  });

  it("distils most cheaply into the teacher's own logits", () => {
    fc.assert(
      fc.property(batches, ({ images, texts, seed }) => {
        const batch = batchOf(images, texts);
        const teacher = drawn(images.length, texts.length, seed);
        const student = drawn(images.length, texts.length, seed + 1);
        const cost = (own: readonly number[]) =>
          valueOf(
            (logits) =>
              pairwise.distillation(
                { logits },
                { logits: tensor2d([...teacher], [images.length, texts.length]) },
                batch,
              ),
            own,
            images.length,
          );
        expect(cost(teacher)).toBeLessThanOrEqual(cost(student) + 1e-5);
      }),
      { numRuns: 20 },
    );
  });
});
