import fc from 'fast-check';
import { cholesky, choleskyOfRounded, inverse, solved } from '../../src/algebra/cholesky';
import { eigen } from '../../src/algebra/eigen';
import { singularValues } from '../../src/algebra/singular-values';
import {
  type Matrix,
  identityMatrix,
  mapped,
  matrixFrom,
  product,
  trace,
  transposed,
} from '../../src/algebra/matrix';
import { randomStream } from '../../src/index';

const drawn = (rows: number, columns: number, seed: number): Matrix => {
  const random = randomStream(seed, 'matrix');
  return matrixFrom(
    Float64Array.from({ length: rows * columns }, () => random.normal()),
    rows,
    columns,
  );
};
const largestDifference = (a: Matrix, b: Matrix): number =>
  Math.max(0, ...Array.from(a.values, (value, i) => Math.abs(value - (b.values[i] ?? Number.NaN))));
const positive = (size: number, seed: number): Matrix => {
  const x = drawn(size, size, seed);
  return mapped(product(x, transposed(x)), (value, row, column) => (row === column ? value + 0.1 : value));
};
const sizes = fc.integer({ min: 1, max: 13 });

it('a factor of Cholesky gives the matrix back, and solves what it is asked', () => {
  fc.assert(
    fc.property(sizes, sizes, fc.nat(), (n, m, seed) => {
      const matrix = positive(n, seed);
      const factor = cholesky(matrix);
      expect(largestDifference(product(factor, transposed(factor)), matrix)).toBeLessThan(1e-9);
      const b = drawn(n, m, seed + 1);
      expect(largestDifference(product(matrix, solved(factor, b)), b)).toBeLessThan(1e-8);
      expect(largestDifference(product(matrix, inverse(matrix)), identityMatrix(n))).toBeLessThan(1e-8);
    }),
  );
});

it('a matrix that is not positive definite is refused', () => {
  expect(() => cholesky(matrixFrom([1, 2, 2, 1], 2, 2))).toThrow('pivot 1 is -3');
});

it('singular values give the matrix back, descend, and turn by orthogonal vectors, also of a matrix without full rank', () => {
  fc.assert(
    fc.property(sizes, sizes, fc.nat(), (n, rank, seed) => {
      const matrix = product(drawn(n, rank, seed), drawn(rank, n, seed + 1));
      const { left, values, right } = singularValues(matrix);
      const scaled = mapped(left, (value, _, column) => value * (values[column] ?? Number.NaN));
      expect(largestDifference(product(scaled, transposed(right)), matrix)).toBeLessThan(1e-9);
      expect(largestDifference(product(transposed(right), right), identityMatrix(n))).toBeLessThan(1e-9);
      values.forEach((value, i) => expect(value).toBeLessThanOrEqual(values[i - 1] ?? Infinity));
    }),
  );
});

/** Symmetric matrices: positive ones, of less than full rank, of both signs, and with eigenvalues that are the same. */
const symmetric: readonly [string, (n: number, seed: number) => Matrix][] = [
  ['positive', positive],
  ['rank 1', (n, seed) => product(drawn(n, 1, seed), transposed(drawn(n, 1, seed)))],
  ['of both signs', (n, seed) => sumOf(drawn(n, n, seed), transposed(drawn(n, n, seed)))],
  ['a multiple of the identity', (n, seed) => mapped(identityMatrix(n), (value) => value * (seed % 3))],
  ['in two scales', (n, seed) => mapped(positive(n, seed), (value, i, j) => value * scaleAt(i) * scaleAt(j))],
];
const sumOf = (a: Matrix, b: Matrix): Matrix =>
  mapped(a, (value, row, column) => value + (b.values[row * b.columns + column] ?? Number.NaN));
const scaleAt = (place: number): number => (place % 2 === 0 ? 1e3 : 1e-3);

it.each(symmetric)('eigenvectors of a symmetric matrix turn, its eigenvalues descend: %s', (_, make) => {
  fc.assert(
    fc.property(sizes, fc.nat(), (n, seed) => {
      const matrix = make(n, seed);
      const { values, vectors } = eigen(matrix);
      const scaled = mapped(vectors, (value, _row, column) => value * (values[column] ?? Number.NaN));
      const largest = Math.max(1, ...matrix.values.map(Math.abs));
      expect(largestDifference(product(matrix, vectors), scaled)).toBeLessThan(1e-12 * n * largest);
      expect(largestDifference(product(transposed(vectors), vectors), identityMatrix(n))).toBeLessThan(
        1e-12 * n,
      );
      values.forEach((value, i) => expect(value).toBeLessThanOrEqual(values[i - 1] ?? Infinity));
    }),
  );
});

it('eigenvalues of a head are found, and what is no number is refused', () => {
  const { values } = eigen(positive(64, 1));
  expect(values).toHaveLength(64);
  expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(trace(positive(64, 1)), 8);
  expect(() => eigen(matrixFrom([1, Number.NaN, Number.NaN, 1], 2, 2))).toThrow('finite numbers');
});

it('factors a covariance of float32 whose largest columns are the same but for rounding', () => {
  // The third is a small column that must not notice: two columns of variance 1e5, equal up to float32's last bit.
  const large = 1e5;
  const rounded = matrixFrom([large, large * (1 + 6e-8), 0, large * (1 + 6e-8), large, 0, 0, 0, 1], 3, 3);
  expect(() => cholesky(rounded)).toThrow('not positive definite');
  const solution = solved(choleskyOfRounded(rounded), matrixFrom([large, large, 1], 3, 1));
  expect((solution.values[0] ?? 0) + (solution.values[1] ?? 0)).toBeCloseTo(1, 4);
  expect(solution.values[2]).toBeCloseTo(1, 4);
  expect(() => choleskyOfRounded(matrixFrom([1, 2, 2, 1], 2, 2))).toThrow('not positive definite');
});
