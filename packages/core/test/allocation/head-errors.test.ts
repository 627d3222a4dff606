import fc from 'fast-check';
import {
  type Matrix,
  identityMatrix,
  mapped,
  matrixFrom,
  product,
  submatrix,
  trace,
  transposed,
} from '../../src/algebra/matrix';
import { errorsOfParts, logitErrors, valueParts } from '../../src/allocation/head-errors';
import { freeQueryKey, freeValue } from '../../src/reconstruct/heads';
import { type RandomStream, randomStream } from '../../src/random/random';

const randomMatrix = (random: RandomStream, rows: number, columns: number): Matrix =>
  matrixFrom(
    Array.from({ length: rows * columns }, () => random.uniform() - 0.5),
    rows,
    columns,
  );
/** AᵀA of A [rows, size]: of fewer rows than columns it has a low rank, as moments of few gradients have. */
const momentsOf = (random: RandomStream, size: number, rows: number): Matrix => {
  const a = randomMatrix(random, rows, size);
  return product(transposed(a), a);
};
const difference = (a: Matrix, b: Matrix): Matrix => mapped(a, (value, r, c) => value - at(b, r, c));
const at = ({ values, columns }: Matrix, row: number, column: number): number =>
  values[row * columns + column] ?? Number.NaN;
const range = (from: number, length: number): number[] => Array.from({ length }, (_, i) => from + i);

const seeds = fc.nat(100_000);
const d = 5;

describe('the errors of heads', () => {
  test('are those of the values that a reconstruction leaves, by what the loss minds', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: d }), (seed, r) => {
        const random = randomStream(seed, 'values');
        const [H, D] = [2, 4];
        const covariance = momentsOf(random, H * d, 30);
        const weight = randomMatrix(random, H * d, D);
        // The loss minds two directions alone.
        const measured = product(weight, randomMatrix(random, D, 2));
        const all = range(0, D);
        const left = range(0, H).map((head) => {
          const own = range(head * d, d);
          const moments = submatrix(covariance, own, own);
          const { value, output } = freeValue(moments, submatrix(weight, own, all), r);
          const lost = difference(identityMatrix(d), product(value, output));
          const given = product(lost, submatrix(measured, own, [0, 1]));
          return trace(product(transposed(given), product(moments, given)));
        });
        const parts = valueParts(covariance, weight, measured, H);
        const expected = left.reduce((sum, error) => sum + error, 0);
        expect(errorsOfParts(parts)[d - r]).toBeCloseTo(expected, 8);
      }),
    );
  });

  test.each([
    ['by gradients of the queries, of low rank', true],
    ['by the keys', false],
  ])('are those of the logits that a reconstruction leaves, %s', (_, hasGradients) => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: d }), (seed, r) => {
        const random = randomStream(seed, 'logits');
        const heads = range(0, 2).map(() => ({
          query: momentsOf(random, d, 30),
          key: momentsOf(random, d, 30),
          minded: hasGradients ? momentsOf(random, d, 2) : undefined,
        }));
        const left = heads.map(({ query, key, minded = key }) => {
          const maps = freeQueryKey(query, key, r);
          const lost = difference(identityMatrix(d), product(maps.query, transposed(maps.key)));
          return trace(product(product(transposed(lost), product(query, lost)), minded));
        });
        const expected = left.reduce((sum, error) => sum + error, 0);
        expect(errorsOfParts(logitErrors(heads).parts)[d - r]).toBeCloseTo(expected, 8);
      }),
    );
  });

  test('of one dimension alone are what its queries meet', () => {
    const diagonal = (values: readonly number[]): Matrix =>
      mapped(identityMatrix(values.length), (one, row) => one * (values[row] ?? 0));
    const heads = [{ query: diagonal([4, 1]), key: diagonal([1, 9]) }];
    expect(logitErrors(heads)).toEqual({ alone: [4, 9], parts: [9, 4] });
    const minded = diagonal([2, 3]);
    expect(logitErrors(heads.map((head) => ({ ...head, minded }))).alone).toEqual([8, 3]);
  });
});
