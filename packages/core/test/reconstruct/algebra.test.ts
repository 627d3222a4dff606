import fc from 'fast-check';
import { cholesky, choleskyOfRounded, inverse, solved } from '../../src/algebra/cholesky';
import { eigen, singularValues } from '../../src/algebra/eigen';
import {
  type Matrix,
  identityMatrix,
  mapped,
  matrixFrom,
  product,
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

it('eigenvectors are those of a symmetric matrix', () => {
  fc.assert(
    fc.property(sizes, fc.nat(), (n, seed) => {
      const matrix = positive(n, seed);
      const { values, vectors } = eigen(matrix);
      const scaled = mapped(vectors, (value, _, column) => value * (values[column] ?? Number.NaN));
      expect(largestDifference(product(matrix, vectors), scaled)).toBeLessThan(1e-8);
    }),
  );
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
