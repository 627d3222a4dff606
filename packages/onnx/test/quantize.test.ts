import fc from 'fast-check';
import { biasCorrection, quantizeColumns } from '../src/quantize/matrix';
import { bestRange, rangeBetween, rounded } from '../src/quantize/range';

const numbers = (length: number) =>
  fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: length, maxLength: length });

test('every entry of a matrix is within half a step of its column, and the greatest is exact', () => {
  fc.assert(
    fc.property(numbers(12), (values) => {
      const { values: whole, scales } = quantizeColumns(values, 3);
      values.forEach((value, at) => {
        const scale = scales[at % 3] ?? 0;
        expect(Math.abs((whole[at] ?? 0) * scale - value)).toBeLessThanOrEqual(scale * 0.5001);
      });
      expect(whole.every((own) => own >= -127 && own <= 127)).toBe(true);
    }),
  );
});

test('a bias that is corrected gives inputs of the means the answer that they had', () => {
  fc.assert(
    fc.property(numbers(12), numbers(4), (values, means) => {
      const matrix = quantizeColumns(values, 3);
      const lost = biasCorrection(values, matrix, means);
      const answer = (entry: (at: number) => number, column: number) =>
        means.reduce((sum, mean, row) => sum + mean * entry(row * 3 + column), 0);
      for (const column of [0, 1, 2]) {
        const exact = answer((at) => values[at] ?? 0, column);
        const whole = answer((at) => (matrix.values[at] ?? 0) * (matrix.scales[column] ?? 0), column);
        expect(whole + (lost[column] ?? 0)).toBeCloseTo(exact, 0);
      }
    }),
  );
});

test('zero is exact in every range, and a number within it is at most half a step off', () => {
  const bound = fc.float({ min: -50, max: 50, noNaN: true });
  fc.assert(
    fc.property(bound, bound, fc.double({ min: 0, max: 1, noNaN: true }), (one, other, share) => {
      const range = rangeBetween(Math.min(one, other), Math.max(one, other));
      expect(rounded(0, range)).toBe(0);
      const [low, high] = [Math.min(0, one, other), Math.max(0, one, other)];
      const value = low + share * (high - low);
      expect(Math.abs(rounded(value, range) - value)).toBeLessThanOrEqual(range.scale * 1.001);
    }),
  );
});

test('one number far out does not take the steps of all others', () => {
  const sample = [...Array.from({ length: 5000 }, (_, at) => Math.sin(at)), 3];
  const error = (range: { scale: number; zeroPoint: number }) =>
    sample.reduce((sum, value) => sum + (value - rounded(value, range)) ** 2, 0);
  expect(error(bestRange(sample, -1, 3))).toBeLessThanOrEqual(error(rangeBetween(-1, 3)));
  expect(bestRange(sample, -1, 1).scale).toBeCloseTo(2 / 255, 3);
});
