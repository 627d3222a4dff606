import { memory, tensor2d } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { mapped, matrixFrom } from '../../src/algebra/matrix';
import { randomStream } from '../../src/index';
import { removalOrder } from '../../src/reconstruct/removal';
import { removalOrderOf } from '../../src/reconstruct/removal-of-sums';
import { describeOnEveryEngine } from '../engine/every-engine';

/** Columns that hang together, by rows of a random mixture; and the matrix that reads them. */
function drawnColumns(F: number, D: number, seed: number) {
  const random = randomStream(seed, 'columns');
  const numbers = (count: number) => Float32Array.from({ length: count }, () => random.normal());
  const [rows, mixture] = [2 * F + 3, numbers(F * F)];
  const x = Array.from({ length: rows }, () => {
    const own = numbers(F);
    return Array.from({ length: F }, (_, column) =>
      own.reduce((sum, value, i) => sum + value * (mixture[i * F + column] ?? 0), 0),
    );
  });
  const sums = Float32Array.from({ length: F * F }, (_, at) =>
    x.reduce((sum, row) => sum + (row[Math.floor(at / F)] ?? 0) * (row[at % F] ?? 0), 0),
  );
  return { rows, sums, weight: numbers(F * D) };
}

describeOnEveryEngine('the order in which units go', () => {
  it('is the host’s in double precision, with the errors that are left, of units with any number of copies', () => {
    const small = fc.integer({ min: 1, max: 3 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 16 }),
        small,
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        fc.nat(),
        (units, copies, D, isCharged, seed) => {
          const F = units * copies;
          const { rows, sums, weight } = drawnColumns(F, D, seed);
          const random = randomStream(seed, 'charges');
          const charges = Float32Array.from({ length: units }, () => random.uniform());
          const [scale, ridge] = [1 / rows, 0.1];
          const whole = mapped(
            matrixFrom(sums, F, F),
            (value, i, j) => value * scale + (i === j ? ridge : 0),
          );
          const options = { count: units, copies, ...(isCharged ? { added: charges } : {}) };
          const read = matrixFrom(weight, F, D);
          const expected = removalOrder(whole, read, options);
          const { numTensors } = memory();
          const given = tensor2d(sums, [F, F]);
          const found = removalOrderOf({ sums: given, scale, ridge }, read, options);
          given.dispose();
          expect(memory().numTensors).toBe(numTensors);
          expect(found.removed).toEqual(expected.removed);
          const largest = Math.max(1e-30, ...expected.errors);
          found.errors.forEach((error, place) => {
            expect(Math.abs(error - (expected.errors[place] ?? Number.NaN))).toBeLessThan(1e-6 * largest);
          });
        },
      ),
      { numRuns: 12 },
    );
  });

  it('is the order of the units where no error tells them apart, and ends with one that stays', () => {
    const sums = tensor2d([1, 0, 0, 0, 1, 0, 0, 0, 1], [3, 3]);
    const { removed, errors } = removalOrderOf({ sums, scale: 1, ridge: 0 }, matrixFrom([1, 1, 1], 3, 1), {
      count: 3,
    });
    sums.dispose();
    expect(removed).toEqual([0, 1]);
    expect(errors).toEqual([1, 2]);
  });

  it('is refused of errors that are no numbers, and of what is no covariance', () => {
    const read = matrixFrom([1, Number.NaN], 2, 1);
    const sums = tensor2d([1, 0, 0, 1], [2, 2]);
    const other = tensor2d([1, 2, 2, 1], [2, 2]);
    const noNumbers = matrixFrom([Number.NaN, Number.NaN], 2, 1);
    expect(() => removalOrderOf({ sums, scale: 1, ridge: 0 }, noNumbers, { count: 1 })).toThrow(
      'not numbers',
    );
    expect(() => removalOrderOf({ sums: other, scale: 1, ridge: 0 }, read, { count: 1 })).toThrow(
      'not positive definite',
    );
    sums.dispose();
    other.dispose();
  });
});
