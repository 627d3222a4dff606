import { eigen } from '../algebra/eigen';
import { singularValues } from '../algebra/singular-values';
import { type Matrix, identityMatrix, mapped, product, submatrix, transposed } from '../algebra/matrix';

/** Directions whose variance is below this share of the greatest are taken for none. */
const RELATIVE_CUT = 1e-6;

/** M^½ and its pseudo-inverse, of a symmetric matrix that is not negative. */
export function roots(matrix: Matrix): { root: Matrix; inverseRoot: Matrix } {
  const { values, vectors } = eigen(matrix);
  const least = (values[0] ?? 0) * RELATIVE_CUT;
  const power = (of: (value: number) => number): Matrix => {
    const scaled = mapped(vectors, (value, _, column) => value * of(values[column] ?? 0));
    return product(scaled, transposed(vectors));
  };
  return {
    root: power((value) => (value > least ? Math.sqrt(value) : 0)),
    inverseRoot: power((value) => (value > least ? 1 / Math.sqrt(value) : 0)),
  };
}

/** New queries and keys of a head, q' = q·query and k' = k·key; [d, r] each. */
export interface QueryKeyMaps {
  readonly query: Matrix;
  readonly key: Matrix;
  /** E of the squared error of a logit that is left, for independent queries and keys. */
  readonly error: number;
}

/**
 * The r dimensions of a head that keep the most of its logits: the singular value decomposition of G_Q^½·G_K^½ = U·S·Vᵀ gives
 * query = G_Q^−½·U_r·S_r^½ and key = G_K^−½·V_r·S_r^½, with an error of Σ_{i>r} s_i².
 * @param query G_Q = E[qᵀq], [d, d], not centred.
 * @param key G_K, [d, d]: the covariance of keys within a sequence, as what is the same for all keys changes no attention.
 */
export function freeQueryKey(query: Matrix, key: Matrix, r: number): QueryKeyMaps {
  const [q, k] = [roots(query), roots(key)];
  const { left, values, right } = singularValues(product(q.root, k.root));
  const scaled = (vectors: Matrix): Matrix =>
    mapped(firstColumns(vectors, r), (value, _, column) => value * Math.sqrt(values[column] ?? 0));
  return {
    query: product(q.inverseRoot, scaled(left)),
    key: product(k.inverseRoot, scaled(right)),
    error: values.slice(r).reduce((sum, value) => sum + value ** 2, 0),
  };
}

/**
 * The compensation by which a head's kept dimensions stand for the others' part in its logits (CORP, arXiv 2602.05243, whose equation it
 * solves without a Kronecker product): G_Q,SS·M·G_K,SS + λM = G_Q,SP·G_K,PS, and I + M = U·S·Vᵀ goes to the queries as U·S^½
 * and to the keys as V·S^½, behind the choice of columns. Where nothing is gone or it was 0, nothing changes.
 * @param kept Ascending.
 * @param ridge λ as a share of the product of both mean variances.
 */
export function compensatedQueryKey(
  query: Matrix,
  key: Matrix,
  kept: readonly number[],
  ridge: number,
): QueryKeyMaps {
  const all = Array.from({ length: query.rows }, (_, dimension) => dimension);
  const gone = all.filter((dimension) => !kept.includes(dimension));
  const own = { query: submatrix(query, kept, kept), key: submatrix(key, kept, kept) };
  const lost = product(submatrix(query, kept, gone), submatrix(key, gone, kept));
  const chosen = submatrix(identityMatrix(query.rows), all, kept);
  if (lost.values.every((value) => value === 0)) {
    return { query: chosen, key: chosen, error: errorOf(query, key, chosen, chosen) };
  }
  const [a, b] = [eigen(own.query), eigen(own.key)];
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const lambda = ridge * mean(a.values) * mean(b.values);
  const compensation = solvedTwoSided(a, b, lost, lambda);
  const { left, values, right } = singularValues(
    mapped(compensation, (value, row, column) => (row === column ? value + 1 : value)),
  );
  const half = (vectors: Matrix): Matrix =>
    product(
      chosen,
      mapped(vectors, (value, _, column) => value * Math.sqrt(values[column] ?? 0)),
    );
  const [mapQ, mapK] = [half(left), half(right)];
  return { query: mapQ, key: mapK, error: errorOf(query, key, mapQ, mapK) };
}

/** M of A·M·B + λM = C, for A and B by their eigenvectors. */
export function solvedTwoSided(
  a: ReturnType<typeof eigen>,
  b: ReturnType<typeof eigen>,
  c: Matrix,
  lambda: number,
): Matrix {
  const turned = product(product(transposed(a.vectors), c), b.vectors);
  const divided = mapped(turned, (value, row, column) => {
    const divisor = (a.values[row] ?? 0) * (b.values[column] ?? 0) + lambda;
    return divisor > 0 ? value / divisor : 0;
  });
  return product(product(a.vectors, divided), transposed(b.vectors));
}

/** ‖G_Q^½·(I − A·Bᵀ)·G_K^½‖². */
export function errorOf(query: Matrix, key: Matrix, a: Matrix, b: Matrix): number {
  const kept = product(a, transposed(b));
  const lost = mapped(kept, (value, row, column) => (row === column ? 1 : 0) - value);
  const both = product(product(transposed(lost), query), product(lost, key));
  let error = 0;
  for (let i = 0; i < both.rows; i++) error += both.values[i * both.columns + i] ?? 0;
  return Math.max(0, error);
}

/** New values of a head, and the matrix that reads them: v' = v·value, W_o' = output·W_o. */
export interface ValueMaps {
  /** [d, r] */
  readonly value: Matrix;
  /** [r, d] */
  readonly output: Matrix;
  /** E‖y − y'‖² that is left, with the best bias. */
  readonly error: number;
}

/**
 * The r dimensions of a head that keep the most of what it adds: with K = Cov(o)^½ and the eigenvectors E of
 * K·W_o·W_oᵀ·K, value = K⁺·E_r and output = E_rᵀ·K. Rows of an attention sum to 1, so a linear map of the values is the same
 * map of what the head makes of them. The error is the sum of the eigenvalues that are left out.
 * @param covariance Cov(o), [d, d].
 * @param output W_o of the head, [d, D].
 */
export function freeValue(covariance: Matrix, output: Matrix, r: number): ValueMaps {
  const { root, inverseRoot } = roots(covariance);
  const read = product(root, output);
  const { values, vectors } = eigen(product(read, transposed(read)));
  const kept = firstColumns(vectors, r);
  return {
    value: product(inverseRoot, kept),
    output: product(transposed(kept), root),
    error: Math.max(
      0,
      values.slice(r).reduce((sum, value) => sum + value, 0),
    ),
  };
}

const firstColumns = (matrix: Matrix, count: number): Matrix =>
  submatrix(
    matrix,
    Array.from({ length: matrix.rows }, (_, row) => row),
    Array.from({ length: count }, (_, column) => column),
  );
