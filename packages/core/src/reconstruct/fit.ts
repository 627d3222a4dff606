import { dampedFactor, solved } from '../algebra/cholesky';
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
  /** The variance that it explains, summed over the columns of error: E‖e‖² less E‖e − x·Δ − δ‖², with the means taken away. */
  readonly explained: number;
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

/** Δ of a system (Σ + λI)·Δ = C, and the share by which the diagonal of Σ + λI grew before (`dampedFactor`). */
export interface RidgeSolution {
  readonly weight: Matrix;
  readonly damping: number;
}

/** Solves for a λ. */
export const ridgeSolution = ({ covariance, cross }: FitStatistics, ridge: number): RidgeSolution => {
  const { factor, damping } = dampedFactor(ridged(covariance, ridge));
  return { weight: solved(factor, cross), damping };
};

/** Whether there is anything to explain errors by. */
export const isExplaining = ({ covariance }: FitStatistics): boolean => trace(covariance) > 0;

/**
 * The least squares correction of a linear map: Δ that minimises E‖e − x·Δ − δ‖² + λ‖Δ‖², with e the error of the map as it
 * is. So it is pulled towards the map, and never explains less than that did. λ infinite corrects the bias alone (FLAP: An et
 * al., 2024); with e = h_P·W_P for the units that are gone it is Δ = (Σ_SS + λI)⁻¹·Σ_SP·W_P, δ = (μ_P − μ_S·(Σ_SS + λI)⁻¹·Σ_SP)·W_P.
 * @param solution Δ, if it was solved for elsewhere.
 */
export function correctionOf(
  statistics: FitStatistics,
  ridge: number,
  solution = Number.isFinite(ridge) && isExplaining(statistics)
    ? ridgeSolution(statistics, ridge)
    : undefined,
): Correction {
  const { mean, covariance, targetMean, cross } = statistics;
  const weight = solution?.weight ?? zeroMatrix(cross.rows, cross.columns);
  const grown = solution?.damping ?? 0;
  const explained = explainedBy(weight, cross, (row) => {
    const diagonal = (covariance.values[row * covariance.columns + row] ?? 0) + ridge;
    return ridge + grown * diagonal;
  });
  const shift = product({ rows: 1, columns: mean.length, values: mean }, weight).values;
  const bias = targetMean.map((target, column) => target - (shift[column] ?? 0));
  return { weight, bias, explained: solution === undefined ? 0 : explained };
}

/**
 * 2·tr(ΔᵀC) − tr(ΔᵀΣΔ), where (Σ + R)Δ = C for a diagonal R: tr(ΔᵀC) + tr(ΔᵀRΔ), without a product of matrices.
 * @param ridgeAt R, row by row.
 */
function explainedBy({ rows, columns, values }: Matrix, cross: Matrix, ridgeAt: (row: number) => number) {
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    let [both, square] = [0, 0];
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      const value = values[i] ?? 0;
      both += value * (cross.values[i] ?? 0);
      square += value * value;
    }
    sum += both + ridgeAt(row) * square;
  }
  return sum;
}

/** M + λI. */
export const ridged = (matrix: Matrix, ridge: number): Matrix =>
  mapped(matrix, (value, row, column) => (row === column ? value + ridge : value));
