import { inverse } from '../algebra/cholesky';
import type { Matrix } from '../algebra/matrix';

/** The order in which units go, and the error that is left after each. */
export interface RemovalOrder {
  readonly removed: readonly number[];
  /** E‖y − y'‖² after so many are gone, every one with the best correction. */
  readonly errors: readonly number[];
}

/**
 * Removes units one at a time, each time the one whose loss the others can make up for best (optimal brain surgeon for whole
 * units: Hassibi & Stork, 1993; Kurtic et al., 2022, Equations 2 and 3 with groups of one row): argmin ‖w_j‖² / [Σ⁻¹]_jj. Ties
 * go to the unit that comes first.
 * @param covariance Σ of the units, damped, [F, F].
 * @param weight The matrix that reads them, [F, D].
 * @throws {RangeError} when Σ is not positive definite.
 */
export function removalOrder(covariance: Matrix, weight: Matrix, count: number): RemovalOrder {
  const { rows: F, columns: D } = weight;
  const inverted = inverse(covariance).values;
  const w = Float64Array.from(weight.values);
  const left = new Set(Array.from({ length: F }, (_, unit) => unit));
  const norms = Float64Array.from({ length: F }, (_, unit) => squares(w, unit * D, D));
  const removed: number[] = [];
  const errors: number[] = [];
  while (removed.length < count && left.size > 1) {
    let least = { unit: -1, score: Number.POSITIVE_INFINITY };
    for (const unit of left) {
      const score = (norms[unit] ?? 0) / (inverted[unit * F + unit] ?? Number.NaN);
      if (score < least.score) least = { unit, score };
    }
    const { unit, score } = least;
    const pivot = inverted[unit * F + unit] ?? Number.NaN;
    left.delete(unit);
    removed.push(unit);
    errors.push((errors.at(-1) ?? 0) + score);
    for (const other of left) {
      const factor = (inverted[other * F + unit] ?? 0) / pivot;
      if (factor === 0) continue;
      subtract(w, other * D, unit * D, D, factor);
      norms[other] = squares(w, other * D, D);
      subtract(inverted, other * F, unit * F, F, factor);
    }
  }
  return { removed, errors };
}

/** into[at…] −= factor · into[from…] */
function subtract(values: Float64Array, at: number, from: number, length: number, factor: number): void {
  for (let j = 0; j < length; j++) values[at + j] = (values[at + j] ?? 0) - factor * (values[from + j] ?? 0);
}

function squares(values: Float64Array, from: number, length: number): number {
  let sum = 0;
  for (let j = from; j < from + length; j++) sum += (values[j] ?? 0) ** 2;
  return sum;
}
