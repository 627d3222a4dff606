import { eigen, singularValues } from '../algebra/eigen';
import { type Matrix, product, submatrix, transposed } from '../algebra/matrix';
import { roots } from '../reconstruct/heads';

/** The errors of the logits of heads. */
export interface LogitErrors {
  /** The error that each dimension adds when it alone goes, [d]. */
  readonly alone: readonly number[];
  /** Σ over the heads of the i-th largest part of what their best bases keep, [d]; it descends. */
  readonly parts: readonly number[];
}

/**
 * E of the squared error of logits when dimensions of queries go, for each head its moments and those of what the error meets: its
 * keys, or gradients of its queries. The best r of a head leave Σ_{i>r} s_i² of the singular values of G_Q^½·G^½.
 * @param queries E qᵀq of each head, [d, d].
 * @param met The other moments, [d, d].
 */
export function logitErrors(queries: readonly Matrix[], met: readonly Matrix[]): LogitErrors {
  const heads = queries.flatMap((query, head) => {
    const other = met[head];
    return other === undefined ? [] : [{ query, other }];
  });
  const d = queries[0]?.rows ?? 0;
  const at = ({ values }: Matrix, i: number): number => values[i * d + i] ?? 0;
  return {
    alone: summed(
      heads.map(({ query, other }) => Array.from({ length: d }, (_, i) => at(query, i) * at(other, i))),
      d,
    ),
    parts: summed(
      heads.map(({ query, other }) =>
        [...singularValues(product(roots(query).root, roots(other).root)).values].map((value) => value ** 2),
      ),
      d,
    ),
  };
}

/**
 * Σ over the heads of the i-th largest part of what their best bases of values keep, [d]: eigenvalues of K·W_o·W_oᵀ·K with
 * K = Cov(o)^½ of a head; it descends.
 * @param covariance Cov(o) of all heads side by side, [H·d, H·d].
 * @param weight The matrix that reads them, [H·d, D].
 */
export function valueParts(covariance: Matrix, weight: Matrix, heads: number): number[] {
  const d = weight.rows / heads;
  const all = Array.from({ length: weight.columns }, (_, column) => column);
  const parts = Array.from({ length: heads }, (_, head) => {
    const own = Array.from({ length: d }, (_, dimension) => head * d + dimension);
    const read = product(roots(submatrix(covariance, own, own)).root, submatrix(weight, own, all));
    return [...eigen(product(read, transposed(read))).values];
  });
  return summed(parts, d);
}

/** e(k) of parts that descend: the sum of the k last, for k from 0 to all but one. */
export function errorsOfParts(parts: readonly number[]): number[] {
  const errors = [0];
  for (let gone = 1; gone < parts.length; gone++)
    errors.push((errors[gone - 1] ?? 0) + (parts[parts.length - gone] ?? 0));
  return errors;
}

const summed = (rows: readonly (readonly number[])[], length: number): number[] =>
  Array.from({ length }, (_, i) => rows.reduce((total, row) => total + (row[i] ?? 0), 0));
