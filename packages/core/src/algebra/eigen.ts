import { type Matrix, transposed, zeroMatrix } from './matrix';

/** M = vectors · diag(values) · vectorsᵀ; values descend, the columns of `vectors` are of length 1. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Matrix;
}

/** Steps for one eigenvalue: a few are the rule. */
const MOST_STEPS = 60;

/**
 * Eigenvalues and eigenvectors of a symmetric matrix: reflections make it tridiagonal (Golub & Van Loan, 2013, Matrix
 * Computations, Section 8.3.1), and implicit QL steps with Wilkinson's shift diagonal (8.3.3). Values are as precise as the
 * largest allows. Only the triangle below the diagonal is read.
 * @throws {RangeError} when an entry is not a finite number.
 */
export function eigen(matrix: Matrix): Eigen {
  const n = matrix.rows;
  const { diagonal, beside, rows } = tridiagonal(matrix);
  diagonalize(diagonal, beside, rows);
  const order = Array.from(diagonal, (_, i) => i).sort(
    (a, b) => (diagonal[b] ?? 0) - (diagonal[a] ?? 0) || a - b,
  );
  const sorted = zeroMatrix(n, n);
  order.forEach((from, to) => {
    sorted.values.set(rows.values.subarray(from * n, (from + 1) * n), to * n);
  });
  return { values: Float64Array.from(order, (i) => diagonal[i] ?? 0), vectors: transposed(sorted) };
}

interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** The entries beside it, of which the i-th stands between i and i + 1; the last is 0. */
  readonly beside: Float64Array;
  /** Qᵀ with M = Q·T·Qᵀ: row i is the i-th vector. */
  readonly rows: Matrix;
}

/** Reflects the columns below the diagonal onto its neighbour, one after another. */
function tridiagonal(matrix: Matrix): Tridiagonal {
  const n = matrix.rows;
  const a = Float64Array.from(matrix.values);
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) a[j * n + i] = a[i * n + j] ?? 0;
  const rows = zeroMatrix(n, n);
  for (let i = 0; i < n; i++) rows.values[i * n + i] = 1;
  const moved = new Float64Array(n);
  for (let k = 0; k + 2 < n; k++) {
    const v = reflector(a.subarray(k * n + k + 1, (k + 1) * n));
    if (v === undefined) continue;
    const { length } = v;
    // p = A·v, then A −= v·wᵀ + w·vᵀ with w = p − (vᵀp/2)·v, as vᵀv = 2.
    let along = 0;
    for (let i = 0; i < length; i++) {
      const own = (k + 1 + i) * n + k + 1;
      let sum = 0;
      for (let j = 0; j < length; j++) sum += (a[own + j] ?? 0) * (v[j] ?? 0);
      moved[i] = sum;
      along += sum * (v[i] ?? 0);
    }
    for (let i = 0; i < length; i++) moved[i] = (moved[i] ?? 0) - (along / 2) * (v[i] ?? 0);
    for (let i = 0; i < length; i++) {
      const own = (k + 1 + i) * n + k + 1;
      const [x, w] = [v[i] ?? 0, moved[i] ?? 0];
      for (let j = 0; j < length; j++) a[own + j] = (a[own + j] ?? 0) - x * (moved[j] ?? 0) - w * (v[j] ?? 0);
    }
    reflectRow(a, k * n + k + 1, v);
    for (let i = 0; i < length; i++) a[(k + 1 + i) * n + k] = a[k * n + k + 1 + i] ?? 0;
    reflectRows(rows, k + 1, v);
  }
  const at = (i: number, j: number): number => (j < n ? (a[i * n + j] ?? 0) : 0);
  return {
    diagonal: Float64Array.from({ length: n }, (_, i) => at(i, i)),
    beside: Float64Array.from({ length: n }, (_, i) => at(i, i + 1)),
    rows,
  };
}

/** v with vᵀv = 2 for which (I − v·vᵀ)·x has its first entry alone; none where it has already. */
function reflector(x: Float64Array): Float64Array | undefined {
  const largest = x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (x.subarray(1).every((value) => value === 0)) return undefined;
  const v = x.map((value) => value / largest);
  const length = Math.sqrt(v.reduce((sum, value) => sum + value * value, 0));
  v[0] = (v[0] ?? 0) + ((v[0] ?? 0) >= 0 ? length : -length);
  const scale = Math.sqrt(2 / v.reduce((sum, value) => sum + value * value, 0));
  return v.map((value) => value * scale);
}

/** x −= (vᵀx)·v for the row that begins at a place. */
function reflectRow(values: Float64Array, start: number, v: Float64Array): void {
  let along = 0;
  for (let i = 0; i < v.length; i++) along += (values[start + i] ?? 0) * (v[i] ?? 0);
  for (let i = 0; i < v.length; i++) values[start + i] = (values[start + i] ?? 0) - along * (v[i] ?? 0);
}

/** (I − v·vᵀ) times the rows from `first` on. */
function reflectRows({ columns: n, values }: Matrix, first: number, v: Float64Array): void {
  const sums = new Float64Array(n);
  for (let i = 0; i < v.length; i++) {
    const [own, x] = [(first + i) * n, v[i] ?? 0];
    for (let j = 0; j < n; j++) sums[j] = (sums[j] ?? 0) + x * (values[own + j] ?? 0);
  }
  for (let i = 0; i < v.length; i++) {
    const [own, x] = [(first + i) * n, v[i] ?? 0];
    for (let j = 0; j < n; j++) values[own + j] = (values[own + j] ?? 0) - x * (sums[j] ?? 0);
  }
}

/** QL steps, from the first eigenvalue to the last, which turn the rows of vectors along. */
function diagonalize(d: Float64Array, e: Float64Array, rows: Matrix): void {
  const n = d.length;
  for (let first = 0; first < n; first++) {
    for (let step = 0; ; step++) {
      let end = first;
      while (end + 1 < n && !isNegligible(e[end] ?? 0, d[end] ?? 0, d[end + 1] ?? 0)) end++;
      if (end === first) break;
      if (step === MOST_STEPS) throw new RangeError('expected a symmetric matrix of finite numbers');
      stepBetween(first, end, d, e, rows);
    }
  }
}

const isNegligible = (beside: number, a: number, b: number): boolean =>
  Math.abs(beside) <= Number.EPSILON * (Math.abs(a) + Math.abs(b));

/** One implicit step on the part of a tridiagonal matrix that lies between two places. */
function stepBetween(first: number, end: number, d: Float64Array, e: Float64Array, rows: Matrix): void {
  const [own, next, beside] = [d[first] ?? 0, d[first + 1] ?? 0, e[first] ?? 0];
  const half = (next - own) / (2 * beside);
  const root = Math.hypot(half, 1);
  let g = (d[end] ?? 0) - own + beside / (half + (half >= 0 ? root : -root));
  let [sine, cosine, p] = [1, 1, 0];
  for (let i = end - 1; i >= first; i--) {
    const [f, b] = [sine * (e[i] ?? 0), cosine * (e[i] ?? 0)];
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      // The matrix falls apart here.
      d[i + 1] = (d[i + 1] ?? 0) - p;
      e[end] = 0;
      return;
    }
    [sine, cosine] = [f / r, g / r];
    g = (d[i + 1] ?? 0) - p;
    const t = ((d[i] ?? 0) - g) * sine + 2 * cosine * b;
    p = sine * t;
    d[i + 1] = g + p;
    g = cosine * t - b;
    turn(rows, i, sine, cosine);
  }
  d[first] = (d[first] ?? 0) - p;
  e[first] = g;
  e[end] = 0;
}

/** Turns rows i and i + 1. */
function turn({ columns: n, values }: Matrix, i: number, sine: number, cosine: number): void {
  const [a, b] = [i * n, (i + 1) * n];
  for (let k = 0; k < n; k++) {
    const [x, y] = [values[a + k] ?? 0, values[b + k] ?? 0];
    values[b + k] = sine * x + cosine * y;
    values[a + k] = cosine * x - sine * y;
  }
}
