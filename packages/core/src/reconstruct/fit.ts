import { choleskyOfRounded, solved } from '../algebra/cholesky';
import { type Matrix, mapped, product, squaredNorm, trace, zeroMatrix } from '../algebra/matrix';

/** Moments of W columns that are read, and of the V columns of error that they are to explain; in double precision. */
export interface FitStatistics {
  /** Rows that they are from. */
  readonly count: number;
  /** [W] */
  readonly mean: Float64Array;
  /** [W, W] */
  readonly covariance: Matrix;
  /** [V] */
  readonly targetMean: Float64Array;
  /** [W, V] */
  readonly cross: Matrix;
}

/** A correction of a linear map, added to its matrix [W, V] and its bias [V]. */
export interface Correction {
  readonly weight: Matrix;
  readonly bias: Float64Array;
}

/** The ridge of statistics, as a share of the mean variance: α, and the share by which they should be shrunk. */
export const RIDGE = 1e-3;

/**
 * λ: α times the mean variance, and where there are few rows for their columns as much more as shrinkage to a multiple of the
 * identity asks for: ρ/(1 − ρ), with the oracle approximating ρ of Chen et al., 2010, Shrinkage Algorithms for MMSE Covariance
 * Estimation, Equation 23. It counts rows as if they were independent.
 */
export function ridgeOf(
  { count, covariance }: Pick<FitStatistics, 'count' | 'covariance'>,
  alpha = RIDGE,
): number {
  const p = covariance.rows;
  const sum = trace(covariance);
  const squares = squaredNorm(covariance);
  const excess = squares - sum ** 2 / p;
  // What is a multiple of the identity already, one column among it, stays as it is.
  const rho = excess <= 0 ? 0 : ((1 - 2 / p) * squares + sum ** 2) / ((count + 1 - 2 / p) * excess);
  const shrinkage = rho < 1 ? rho / (1 - rho) : Number.POSITIVE_INFINITY;
  return (sum / p) * (alpha + Math.min(shrinkage, MOST_SHRINKAGE));
}

/** With ρ above ½ the correction would be little more than that of the bias. */
const MOST_SHRINKAGE = 1;

/**
 * The least squares correction of a linear map: Δ that minimises E‖e − x·Δ − δ‖² + λ‖Δ‖², with e the error of the map as it
 * is. So it is pulled towards the map, and never explains less than that did. λ infinite corrects the bias alone (FLAP: An et
 * al., 2024); with e = h_P·W_P for the units that are gone it is Δ = (Σ_SS + λI)⁻¹·Σ_SP·W_P, δ = (μ_P − μ_S·(Σ_SS + λI)⁻¹·Σ_SP)·W_P.
 */
export function correctionOf(statistics: FitStatistics, ridge: number): Correction {
  const { mean, covariance, targetMean, cross } = statistics;
  const isExplained = Number.isFinite(ridge) && trace(covariance) > 0;
  const weight = isExplained
    ? solved(choleskyOfRounded(ridged(covariance, ridge)), cross)
    : zeroMatrix(cross.rows, cross.columns);
  const shift = product({ rows: 1, columns: mean.length, values: mean }, weight).values;
  return { weight, bias: targetMean.map((target, column) => target - (shift[column] ?? 0)) };
}

/** M + λI. */
export const ridged = (matrix: Matrix, ridge: number): Matrix =>
  mapped(matrix, (value, row, column) => (row === column ? value + ridge : value));

/**
 * E‖e − x·Δ − δ‖² of a correction, summed over the columns: the variance of e less what Δ explains, where δ is the best.
 * @param variance Σ over the columns of the variance of e.
 */
export function errorAfter(
  { covariance, cross }: FitStatistics,
  variance: number,
  { weight }: Correction,
): number {
  const explained = weight.values.reduce((sum, value, i) => sum + value * (cross.values[i] ?? 0), 0);
  const moved = product(covariance, weight);
  const own = weight.values.reduce((sum, value, i) => sum + value * (moved.values[i] ?? 0), 0);
  return Math.max(0, variance - 2 * explained + own);
}
