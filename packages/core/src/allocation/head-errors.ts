import { eigen } from '../algebra/eigen';
import { singularValues } from '../algebra/singular-values';
import { type Matrix, product, submatrix, transposed } from '../algebra/matrix';
import { roots } from '../reconstruct/heads';

/** The errors of the logits of heads. */
export interface LogitErrors {
  /** The error that each dimension adds when it alone goes, [d]. */
  readonly alone: readonly number[];
  /** Σ over the heads of what the i-th of their best bases keeps, [d]. */
  readonly parts: readonly number[];
}

/** Second moments of a head, [d, d] each. */
export interface LogitMoments {
  /** E qᵀq. */
  readonly query: Matrix;
  /** Σ kᵀk about the means of the sequences. */
  readonly key: Matrix;
  /** Σ gᵀg of the gradients of its queries, by which errors are measured; else by its keys. */
  readonly minded?: Matrix | undefined;
}

/**
 * E of the squared error of logits when dimensions of queries go. A reconstruction gives each head the r singular vectors of
 * G_Q^½·G_K^½ = U·S·Vᵀ that keep the most, whatever the loss minds. Each that is left out takes s_i·v_iᵀ·G_K^−½ times a number of
 * variance 1 from every query: s_i² measured by the keys, s_i²·v_iᵀ·G_K^−½·Γ·G_K^−½·v_i by gradients of second moment Γ.
 */
export function logitErrors(heads: readonly LogitMoments[]): LogitErrors {
  const d = heads[0]?.query.rows ?? 0;
  const at = ({ values }: Matrix, i: number): number => values[i * d + i] ?? 0;
  return {
    alone: summed(
      heads.map(({ query, key, minded = key }) =>
        Array.from({ length: d }, (_, i) => at(query, i) * at(minded, i)),
      ),
      d,
    ),
    parts: summed(heads.map(logitParts), d),
  };
}

function logitParts({ query, key, minded }: LogitMoments): number[] {
  const { root, inverseRoot } = roots(key);
  const { right, values } = singularValues(product(roots(query).root, root));
  const squares = [...values].map((value) => value ** 2);
  if (minded === undefined) return squares;
  const directions = product(inverseRoot, right);
  const lengths = diagonalOf(product(transposed(directions), product(minded, directions)));
  return squares.map((square, i) => square * (lengths[i] ?? 0));
}

/**
 * Σ over the heads of what the i-th of their best bases of values keeps, [d]: a reconstruction gives each the eigenvectors E of
 * K·W_o·W_oᵀ·K that keep the most, with K = Cov(o)^½ of a head, whatever the loss minds; each that is left out takes e_iᵀ·K·W_o
 * times a number of variance 1 from what the head adds.
 * @param covariance Cov(o) of all heads side by side, [H·d, H·d].
 * @param weight The matrix that reads them, [H·d, D].
 * @param measured The same, so that squared lengths of what it gives are errors, [H·d, any].
 */
export function valueParts(covariance: Matrix, weight: Matrix, measured: Matrix, heads: number): number[] {
  const d = weight.rows / heads;
  const parts = Array.from({ length: heads }, (_, head) => {
    const own = Array.from({ length: d }, (_, dimension) => head * d + dimension);
    const rowsOf = (matrix: Matrix): Matrix =>
      submatrix(
        matrix,
        own,
        Array.from({ length: matrix.columns }, (_, column) => column),
      );
    const { root } = roots(submatrix(covariance, own, own));
    const read = product(root, rowsOf(weight));
    const { vectors } = eigen(product(read, transposed(read)));
    const lost = product(transposed(vectors), product(root, rowsOf(measured)));
    return diagonalOf(product(lost, transposed(lost)));
  });
  return summed(parts, d);
}

/** e(k) of parts in the order in which they are kept: the sum of the k last, for k from 0 to all but one. */
export function errorsOfParts(parts: readonly number[]): number[] {
  const errors = [0];
  for (let gone = 1; gone < parts.length; gone++)
    errors.push((errors[gone - 1] ?? 0) + (parts[parts.length - gone] ?? 0));
  return errors;
}

const summed = (rows: readonly (readonly number[])[], length: number): number[] =>
  Array.from({ length }, (_, i) => rows.reduce((total, row) => total + (row[i] ?? 0), 0));

const diagonalOf = ({ rows, columns, values }: Matrix): number[] =>
  Array.from({ length: rows }, (_, i) => values[i * columns + i] ?? 0);
