import { type Matrix, identityMatrix, transposed, zeroMatrix } from './matrix';

/** M = left · diag(values) · rightᵀ; values descend and are not negative. */
export interface SingularValues {
  readonly left: Matrix;
  readonly values: Float64Array;
  readonly right: Matrix;
}

const MOST_SWEEPS = 60;
/** Columns are at right angles when their cosine is below this: rounding leaves more of it. */
const PRECISION = 1e-14;

/**
 * The singular value decomposition of a square matrix by rotations of its columns (one-sided Jacobi: Golub & Van Loan, 2013,
 * Matrix Computations, Section 8.6.3): small singular values are as precise as large ones. It costs some ten times n³
 * multiplications, which is little for the dimensions of a head. Left vectors of singular values of 0 are 0.
 */
export function singularValues(matrix: Matrix): SingularValues {
  const n = matrix.columns;
  // Rows of the transposed are columns of M, which then lie side by side in memory.
  const columns = transposed(matrix);
  const rotations = identityMatrix(n);
  const at = ({ values, columns: width }: Matrix, i: number) => values.subarray(i * width, (i + 1) * width);
  const squares = new Float64Array(n);
  for (let sweep = 0, turned = true; turned && sweep < MOST_SWEEPS; sweep++) {
    turned = false;
    // Kept through a sweep, as a rotation moves them by tan·xᵀy: a product of columns less for each pair, twice.
    for (let p = 0; p < n; p++) squares[p] = dot(at(columns, p), at(columns, p));
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const [x, y] = [at(columns, p), at(columns, q)];
        const [xx, yy, xy] = [squares[p] ?? 0, squares[q] ?? 0, dot(x, y)];
        if (Math.abs(xy) <= PRECISION * Math.sqrt(xx * yy) || xy === 0) continue;
        turned = true;
        const zeta = (yy - xx) / (2 * xy);
        const tangent = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const cosine = 1 / Math.hypot(1, tangent);
        squares[p] = Math.max(0, xx - tangent * xy);
        squares[q] = yy + tangent * xy;
        rotate(x, y, cosine, cosine * tangent);
        rotate(at(rotations, p), at(rotations, q), cosine, cosine * tangent);
      }
    }
  }
  const lengths = Array.from({ length: n }, (_, i) => Math.sqrt(dot(at(columns, i), at(columns, i))));
  const order = lengths.map((_, i) => i).sort((a, b) => (lengths[b] ?? 0) - (lengths[a] ?? 0) || a - b);
  const left = zeroMatrix(matrix.rows, n);
  const right = zeroMatrix(n, n);
  order.forEach((from, to) => {
    const length = lengths[from] ?? 0;
    at(columns, from).forEach((value, i) => {
      left.values[i * n + to] = length > 0 ? value / length : 0;
    });
    at(rotations, from).forEach((value, i) => {
      right.values[i * n + to] = value;
    });
  });
  return { left, values: Float64Array.from(order, (i) => lengths[i] ?? 0), right };
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] ?? 0) * (y[i] ?? 0);
  return sum;
}

function rotate(x: Float64Array, y: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [x[i] ?? 0, y[i] ?? 0];
    x[i] = cosine * a - sine * b;
    y[i] = sine * a + cosine * b;
  }
}
