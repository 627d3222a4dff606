/** A matrix in host memory, row-major, in double precision. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/** @throws {RangeError} when there are more or fewer values than its shape holds. */
export function matrixFrom(values: ArrayLike<number>, rows: number, columns: number): Matrix {
  if (values.length !== rows * columns) {
    throw new RangeError(`expected ${rows}×${columns} values, got ${values.length}`);
  }
  return { rows, columns, values: Float64Array.from(values) };
}

export const zeroMatrix = (rows: number, columns: number): Matrix => ({
  rows,
  columns,
  values: new Float64Array(rows * columns),
});

export function identityMatrix(size: number): Matrix {
  const identity = zeroMatrix(size, size);
  for (let i = 0; i < size; i++) identity.values[i * size + i] = 1;
  return identity;
}

export function transposed({ rows, columns, values }: Matrix): Matrix {
  const result = zeroMatrix(columns, rows);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result.values[j * rows + i] = values[i * columns + j] ?? 0;
  return result;
}

/** a·b. @throws {RangeError} when the shapes do not fit. */
export function product(a: Matrix, b: Matrix): Matrix {
  if (a.columns !== b.rows) {
    throw new RangeError(`cannot multiply ${a.rows}×${a.columns} by ${b.rows}×${b.columns}`);
  }
  const result = zeroMatrix(a.rows, b.columns);
  for (let i = 0; i < a.rows; i++) {
    const factors = a.values.subarray(i * a.columns, (i + 1) * a.columns);
    addRows(result.values, i * b.columns, b, factors, 0, a.columns);
  }
  return result;
}

/**
 * Adds rows `from` to `to` of a matrix, times their factors, to the row that begins at `start` of `into`; four at a time, so that
 * what is added to comes from memory a quarter as often.
 */
export function addRows(
  into: Float64Array,
  start: number,
  { columns: m, values }: Matrix,
  factors: ArrayLike<number>,
  from: number,
  to: number,
): void {
  let k = from;
  for (; k + 3 < to; k += 4) {
    const [f0, f1, f2, f3] = [factors[k] ?? 0, factors[k + 1] ?? 0, factors[k + 2] ?? 0, factors[k + 3] ?? 0];
    const [r0, r1, r2, r3] = [k * m, (k + 1) * m, (k + 2) * m, (k + 3) * m];
    for (let j = 0; j < m; j++) {
      into[start + j] =
        (into[start + j] ?? 0) +
        f0 * (values[r0 + j] ?? 0) +
        f1 * (values[r1 + j] ?? 0) +
        f2 * (values[r2 + j] ?? 0) +
        f3 * (values[r3 + j] ?? 0);
    }
  }
  for (; k < to; k++) {
    const factor = factors[k] ?? 0;
    for (let j = 0; j < m; j++) into[start + j] = (into[start + j] ?? 0) + factor * (values[k * m + j] ?? 0);
  }
}

/** The entries of some rows and columns, in that order. */
export function submatrix(
  { columns, values }: Matrix,
  rowIndices: readonly number[],
  columnIndices: readonly number[],
): Matrix {
  const result = zeroMatrix(rowIndices.length, columnIndices.length);
  rowIndices.forEach((row, i) => {
    columnIndices.forEach((column, j) => {
      result.values[i * columnIndices.length + j] = values[row * columns + column] ?? 0;
    });
  });
  return result;
}

/** Entry by entry. */
export const mapped = (
  { rows, columns, values }: Matrix,
  f: (value: number, row: number, column: number) => number,
): Matrix => ({
  rows,
  columns,
  values: values.map((value, index) => f(value, Math.floor(index / columns), index % columns)),
});

/** Σ of the diagonal. */
export function trace({ rows, columns, values }: Matrix): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += values[i * columns + i] ?? 0;
  return sum;
}

/** Σ of squares. */
export function squaredNorm({ values }: Pick<Matrix, 'values'>): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}
