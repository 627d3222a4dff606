import type { Matrix } from '../algebra/matrix';
import { eliminationOf } from './elimination';

/** The order in which units go, and the error that is left after each. */
export interface RemovalOrder {
  readonly removed: readonly number[];
  /** E‖y − y'‖² after so many are gone, every one with the best correction. */
  readonly errors: readonly number[];
}

export interface RemovalOptions {
  /** The number that goes; one stays. */
  readonly count: number;
  /** Columns of each unit: its dimension in each head; default 1. */
  readonly copies?: number;
  /** An error that each unit adds when it goes, whatever else is left, [units]. */
  readonly added?: ArrayLike<number>;
}

/**
 * Removes units one at a time, each time the one whose loss the others can make up for best (optimal brain surgeon for whole
 * units: Hassibi & Stork, 1993; Kurtic et al., 2022, Equations 2 and 3 with groups of a unit's rows): the least
 * tr(W_jᵀ·([Σ⁻¹]_jj)⁻¹·W_j), which of a single row is ‖w_j‖² / [Σ⁻¹]_jj. Ties go to the unit that comes first.
 * @param covariance Σ of the columns, damped, [copies · units, copies · units].
 * @param weight The matrix that reads them, [copies · units, D].
 * @throws {RangeError} when Σ is not positive definite, or an error is not a number.
 */
export function removalOrder(
  covariance: Matrix,
  weight: Matrix,
  { count, copies = 1, added }: RemovalOptions,
): RemovalOrder {
  const units = weight.rows / copies;
  const columnsOf = (unit: number): number[] =>
    Array.from({ length: copies }, (_, copy) => copy * units + unit);
  const { costOf, eliminate } = eliminationOf(covariance, weight);
  const left = new Map(Array.from({ length: units }, (_, unit) => [unit, columnsOf(unit)]));
  const removed: number[] = [];
  const errors: number[] = [];
  while (removed.length < count && left.size > 1) {
    let least: { unit: number; columns: readonly number[]; cost: number } | undefined;
    for (const [unit, columns] of left) {
      const cost = costOf(columns) + (added?.[unit] ?? 0);
      if (cost < (least?.cost ?? Number.POSITIVE_INFINITY)) least = { unit, columns, cost };
    }
    if (least === undefined) throw new RangeError('the errors of units are not numbers');
    left.delete(least.unit);
    least.columns.forEach(eliminate);
    removed.push(least.unit);
    errors.push((errors.at(-1) ?? 0) + least.cost);
  }
  return { removed, errors };
}
