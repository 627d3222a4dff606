import { type Matrix, addRows, mapped, transposed, zeroMatrix } from './matrix';
import { addOuterProducts, mirror } from './outer-products';

/**
 * The lower factor L of a symmetric positive definite matrix, L·Lᵀ (Golub & Van Loan, 2013, Matrix Computations,
 * Section 4.2.5): dot products of rows, four by four, so that each row that comes from memory serves four others.
 * @throws {RangeError} when the matrix is not positive definite.
 */
export function cholesky({ rows: n, values: a }: Matrix): Matrix {
  const factor = zeroMatrix(n, n);
  const l = factor.values;
  for (let j = 0; j < n; j++) {
    const own = j * n;
    let pivot = a[own + j] ?? 0;
    for (let k = 0; k < j; k++) pivot -= (l[own + k] ?? 0) ** 2;
    if (!(pivot > 0)) throw new RangeError(`the matrix is not positive definite: pivot ${j} is ${pivot}`);
    const diagonal = Math.sqrt(pivot);
    l[own + j] = diagonal;
    let i = j + 1;
    for (; i + 3 < n; i += 4) {
      const [r0, r1, r2, r3] = [i * n, (i + 1) * n, (i + 2) * n, (i + 3) * n];
      let [s0, s1, s2, s3] = [a[r0 + j] ?? 0, a[r1 + j] ?? 0, a[r2 + j] ?? 0, a[r3 + j] ?? 0];
      for (let k = 0; k < j; k++) {
        const x = l[own + k] ?? 0;
        s0 -= (l[r0 + k] ?? 0) * x;
        s1 -= (l[r1 + k] ?? 0) * x;
        s2 -= (l[r2 + k] ?? 0) * x;
        s3 -= (l[r3 + k] ?? 0) * x;
      }
      l[r0 + j] = s0 / diagonal;
      l[r1 + j] = s1 / diagonal;
      l[r2 + j] = s2 / diagonal;
      l[r3 + j] = s3 / diagonal;
    }
    for (; i < n; i++) {
      let sum = a[i * n + j] ?? 0;
      for (let k = 0; k < j; k++) sum -= (l[i * n + k] ?? 0) * (l[own + k] ?? 0);
      l[i * n + j] = sum / diagonal;
    }
  }
  return factor;
}

/** Shares of their own variance by which columns are damped, the next where the last was too little: from float32's rounding on. */
const DAMPINGS = [0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2];

/** A factor, and the share by which the diagonal had to grow for it. */
export interface DampedFactor {
  readonly factor: Matrix;
  readonly damping: number;
}

/**
 * The factor of a covariance matrix whose entries were summed in float32. Where two columns are a thousand times as large as
 * others, as a few are in large vision transformers, rounding can make it indefinite: then the diagonal grows by the least
 * share of `DAMPINGS` that helps.
 * @throws {RangeError} when none does: it is no covariance matrix.
 */
export function dampedFactor(matrix: Matrix): DampedFactor {
  for (const damping of DAMPINGS.slice(0, -1)) {
    try {
      return { factor: cholesky(damped(matrix, damping)), damping };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  const damping = DAMPINGS.at(-1) ?? 0;
  return { factor: cholesky(damped(matrix, damping)), damping };
}

/** The same factor alone. */
export const choleskyOfRounded = (matrix: Matrix): Matrix => dampedFactor(matrix).factor;

const damped = (matrix: Matrix, share: number): Matrix =>
  share === 0
    ? matrix
    : mapped(matrix, (value, row, column) => (row === column ? value * (1 + share) : value));

/** X with L·Lᵀ·X = B, for the lower factor L [n, n] and B [n, m]. */
export function solved(factor: Matrix, { columns: m, values: b }: Matrix): Matrix {
  const { rows: n, values: l } = factor;
  const x: Matrix = { rows: n, columns: m, values: Float64Array.from(b) };
  const upper = transposed(factor);
  const negated = new Float64Array(n);
  const divide = (i: number, divisor: number): void => {
    for (let j = i * m; j < (i + 1) * m; j++) x.values[j] = (x.values[j] ?? 0) / divisor;
  };
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) negated[k] = -(l[i * n + k] ?? 0);
    addRows(x.values, i * m, x, negated, 0, i);
    divide(i, l[i * n + i] ?? Number.NaN);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) negated[k] = -(upper.values[i * n + k] ?? 0);
    addRows(x.values, i * m, x, negated, i + 1, n);
    divide(i, l[i * n + i] ?? Number.NaN);
  }
  return x;
}

/** Rows of L⁻¹ that are added up at once. */
const BLOCK = 32;

/**
 * The inverse of a symmetric positive definite matrix, L⁻ᵀ·L⁻¹, in half of the n³ multiplications that solving for the
 * identity takes.
 * @throws {RangeError} when it is not.
 */
export function inverse(matrix: Matrix): Matrix {
  const n = matrix.rows;
  const lower = inverseOfLower(choleskyOfRounded(matrix));
  const result = zeroMatrix(n, n);
  for (let from = 0; from < n; from += BLOCK) {
    const to = Math.min(n, from + BLOCK);
    const rows = Array.from({ length: to - from }, (_, k) =>
      lower.values.subarray((from + k) * n, (from + k + 1) * n),
    );
    addOuterProducts(
      result,
      to,
      rows,
      rows.map(() => 1),
    );
  }
  mirror(result);
  return result;
}

/** L⁻¹ of a lower triangular matrix, row by row; 0 above the diagonal. */
function inverseOfLower({ rows: n, values: l }: Matrix): Matrix {
  const result = zeroMatrix(n, n);
  const x = result.values;
  for (let i = 0; i < n; i++) {
    const own = i * n;
    const pivot = l[own + i] ?? Number.NaN;
    let k = 0;
    for (; k + 3 < i; k += 4) {
      const [f0, f1, f2, f3] = [
        l[own + k] ?? 0,
        l[own + k + 1] ?? 0,
        l[own + k + 2] ?? 0,
        l[own + k + 3] ?? 0,
      ];
      const [r0, r1, r2, r3] = [k * n, (k + 1) * n, (k + 2) * n, (k + 3) * n];
      for (let j = 0; j < k + 4; j++) {
        x[own + j] =
          (x[own + j] ?? 0) -
          f0 * (x[r0 + j] ?? 0) -
          f1 * (x[r1 + j] ?? 0) -
          f2 * (x[r2 + j] ?? 0) -
          f3 * (x[r3 + j] ?? 0);
      }
    }
    for (; k < i; k++) {
      const factor = l[own + k] ?? 0;
      for (let j = 0; j <= k; j++) x[own + j] = (x[own + j] ?? 0) - factor * (x[k * n + j] ?? 0);
    }
    for (let j = 0; j < i; j++) x[own + j] = (x[own + j] ?? 0) / pivot;
    x[own + i] = 1 / pivot;
  }
  return result;
}
