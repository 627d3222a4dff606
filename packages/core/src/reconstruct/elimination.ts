import { cholesky, inverse } from '../algebra/cholesky';
import { type Matrix, zeroMatrix } from '../algebra/matrix';
import { addOuterProducts } from '../algebra/outer-products';

/** Columns of a least squares problem that go one after the other, each time with the best correction of those that are left. */
export interface Elimination {
  /** The growth of E‖y − y'‖² if these columns, which are all left, went. */
  costOf(columns: readonly number[]): number;
  eliminate(column: number): void;
}

/** Columns whose part in Σ⁻¹ is kept apart until it is subtracted at once. */
const BLOCK = 32;

/**
 * Σ⁻¹ of the columns that are left, and the weights that are the best for them. Without column j they are Σ⁻¹ − uᵀu/u_j with u
 * the j-th row of Σ⁻¹, and w_i − w_j·u_i/u_j. Only the triangle below the diagonal is held up to date, some columns at once,
 * and what is gone leaves the matrix: F³/6 multiplications in all, and as many again for F·D weights with D = F/3.
 * @param covariance Σ, damped, [F, F].
 * @param weight The matrix that reads the columns, [F, D].
 * @throws {RangeError} when Σ is not positive definite.
 */
export function eliminationOf(covariance: Matrix, weight: Matrix): Elimination {
  const { rows: F, columns: D } = weight;
  const inverted = inverse(covariance);
  const p = inverted.values;
  const w = Float64Array.from(weight.values);
  const diagonal = Float64Array.from({ length: F }, (_, i) => p[i * F + i] ?? Number.NaN);
  const norms = Float64Array.from({ length: F }, (_, i) => squares(w, i * D, D));
  // Columns by their row of the matrix, and rows by their column; -1 where a column is gone.
  let present = Array.from({ length: F }, (_, column) => column);
  const places = Int32Array.from(present);
  let vectors: Float64Array[] = [];
  let factors: number[] = [];

  const update = (): void => {
    if (vectors.length === 0) return;
    addOuterProducts(inverted, present.length, vectors, factors);
    [vectors, factors] = [[], []];
    const stay = present.flatMap((column, place) => (places[column] === -1 ? [] : [place]));
    stay.forEach((from, to) => {
      for (let j = 0; j <= to; j++) p[to * F + j] = p[from * F + (stay[j] ?? 0)] ?? 0;
    });
    present = stay.map((place) => present[place] ?? -1);
    present.forEach((column, place) => {
      places[column] = place;
    });
  };
  /** The row of Σ⁻¹ as it is now. */
  const rowAt = (place: number): Float64Array => {
    const row = new Float64Array(present.length);
    for (let j = 0; j <= place; j++) row[j] = p[place * F + j] ?? 0;
    for (let j = place + 1; j < row.length; j++) row[j] = p[j * F + place] ?? 0;
    vectors.forEach((vector, k) => {
      const factor = (factors[k] ?? 0) * (vector[place] ?? 0);
      for (let j = 0; j < row.length; j++) row[j] = (row[j] ?? 0) + factor * (vector[j] ?? 0);
    });
    return row;
  };

  const costOf = (columns: readonly number[]): number => {
    const [first = -1] = columns;
    if (columns.length === 1) return (norms[first] ?? Number.NaN) / (diagonal[first] ?? Number.NaN);
    update();
    return groupCost(columns, places, inverted, w, D);
  };
  const eliminate = (column: number): void => {
    const own = places[column] ?? -1;
    const row = rowAt(own);
    const pivot = row[own] ?? Number.NaN;
    places[column] = -1;
    present.forEach((other, place) => {
      if (places[other] === -1) {
        row[place] = 0;
        return;
      }
      const factor = (row[place] ?? 0) / pivot;
      diagonal[other] = (diagonal[other] ?? 0) - factor * (row[place] ?? 0);
      if (factor !== 0) norms[other] = subtracted(w, other * D, column * D, D, factor);
    });
    vectors.push(row);
    factors.push(-1 / pivot);
    if (vectors.length === BLOCK) update();
  };
  return { costOf, eliminate };
}

/** tr(W_Gᵀ·([Σ⁻¹]_GG)⁻¹·W_G): ‖L⁻¹·W_G‖² with L·Lᵀ = [Σ⁻¹]_GG. */
function groupCost(
  columns: readonly number[],
  places: Int32Array,
  { columns: F, values: p }: Matrix,
  w: Float64Array,
  D: number,
): number {
  const size = columns.length;
  const own = zeroMatrix(size, size);
  columns.forEach((a, i) => {
    columns.forEach((b, j) => {
      const [x, y] = [places[a] ?? -1, places[b] ?? -1];
      own.values[i * size + j] = p[Math.max(x, y) * F + Math.min(x, y)] ?? Number.NaN;
    });
  });
  const l = cholesky(own).values;
  const solved = new Float64Array(size * D);
  let cost = 0;
  columns.forEach((column, i) => {
    const row = solved.subarray(i * D, (i + 1) * D);
    row.set(w.subarray(column * D, (column + 1) * D));
    for (let k = 0; k < i; k++) {
      const factor = l[i * size + k] ?? 0;
      for (let j = 0; j < D; j++) row[j] = (row[j] ?? 0) - factor * (solved[k * D + j] ?? 0);
    }
    const pivot = l[i * size + i] ?? Number.NaN;
    for (let j = 0; j < D; j++) row[j] = (row[j] ?? 0) / pivot;
    cost += squares(row, 0, D);
  });
  return cost;
}

/** into[at…] −= factor · into[from…]; the squared length of what is left. */
function subtracted(values: Float64Array, at: number, from: number, length: number, factor: number): number {
  let sum = 0;
  for (let j = 0; j < length; j++) {
    const value = (values[at + j] ?? 0) - factor * (values[from + j] ?? 0);
    values[at + j] = value;
    sum += value * value;
  }
  return sum;
}

function squares(values: Float64Array, from: number, length: number): number {
  let sum = 0;
  for (let j = from; j < from + length; j++) sum += (values[j] ?? 0) ** 2;
  return sum;
}
