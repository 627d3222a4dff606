import { type Tensor3D, add, zeros } from '@tensorflow/tfjs-core';
import { type Matrix, matrixFrom, product, submatrix, zeroMatrix } from '../algebra/matrix';
import { type HeadRows, headProducts, withinSequences } from '../statistics/head-products';
import { type ScatterMoments, scatterMoments, withScatter } from '../statistics/moments';
import type { AttentionMaps } from './attention-maps';
import { RIDGE } from './fit';
import { compensatedQueryKey, freeQueryKey, freeValue } from './heads';
import { covarianceOf } from './host';
import type { ChangingWeights } from './weights';

/** Moments of the heads of an attention, in the dense model. */
export type HeadMoments = {
  /** Σ qᵀq, [H, d, d]. */
  query: Tensor3D;
  /** Σ kᵀk about the means of the sequences, [H, d, d]. */
  key: Tensor3D;
  /** Moments of the heads' results, side by side: [H·d]. */
  output: ScatterMoments;
};

export const headMoments = ({ heads, headDim }: AttentionMaps): HeadMoments => ({
  query: zeros([heads, headDim, headDim]),
  key: zeros([heads, headDim, headDim]),
  output: scatterMoments(heads * headDim),
});

/** After more rows. Call it in a tidy. */
export function withHeads(
  moments: HeadMoments,
  { heads }: AttentionMaps,
  seen: { readonly query: HeadRows; readonly key: HeadRows; readonly output: HeadRows },
): HeadMoments {
  return {
    query: add(moments.query, headProducts(seen.query, heads)),
    key: add(moments.key, headProducts({ ...seen.key, values: withinSequences(seen.key) }, heads)),
    output: withScatter(moments.output, seen.output),
  };
}

/** The dimensions that heads are left with: those that were decided on, with compensation, or the best combinations. */
export type HeadBases =
  { readonly kind: 'kept'; readonly kept: readonly number[] } | { readonly kind: 'free'; readonly r: number };

/**
 * Writes queries, keys and, with free bases, values and their output of the smaller model, from the dense model's.
 * @param output Path of the map that reads the heads.
 */
export async function writeHeads(
  { query, key, value, heads, headDim: d }: AttentionMaps,
  output: string,
  moments: HeadMoments,
  bases: HeadBases,
  dense: ChangingWeights,
  cut: ChangingWeights,
): Promise<void> {
  const [queries, keys] = [await perHead(moments.query, heads, d), await perHead(moments.key, heads, d)];
  const compared = queries.map((own, head) => {
    const other = keys[head] ?? own;
    return bases.kind === 'free'
      ? freeQueryKey(own, other, bases.r)
      : compensatedQueryKey(own, other, bases.kept, RIDGE);
  });
  await writeColumns(
    query,
    compared.map((maps) => maps.query),
    dense,
    cut,
  );
  await writeColumns(
    key,
    compared.map((maps) => maps.key),
    dense,
    cut,
  );
  if (bases.kind === 'kept') return;
  const { mean, covariance } = await covarianceOf(moments.output);
  const read = await dense.read(`${output}.weight`);
  const all = Array.from({ length: read.columns }, (_, column) => column);
  const parts = Array.from({ length: heads }, (_, head) => {
    const own = Array.from({ length: d }, (_, dimension) => head * d + dimension);
    const reader = submatrix(read, own, all);
    return { own, reader, maps: freeValue(submatrix(covariance, own, own), reader, bases.r) };
  });
  await writeColumns(
    value,
    parts.map(({ maps }) => maps.value),
    dense,
    cut,
  );
  const bias = (await dense.read(`${output}.bias`)).values;
  const written = zeroMatrix(heads * bases.r, read.columns);
  parts.forEach(({ own, reader, maps }, head) => {
    const rows = product(maps.output, reader);
    written.values.set(rows.values, head * rows.values.length);
    // What the means of the dimensions that are gone added.
    const whole = matrixFrom(
      own.map((column) => mean[column] ?? 0),
      1,
      d,
    );
    const kept = product(product(whole, maps.value), rows);
    product(whole, reader).values.forEach((target, column) => {
      bias[column] = (bias[column] ?? 0) + target - (kept.values[column] ?? 0);
    });
  });
  cut.write(`${output}.weight`, written);
  cut.write(`${output}.bias`, matrixFrom(bias, 1, bias.length));
}

/** Columns of a map times the matrix of their head, and its bias likewise. */
async function writeColumns(
  path: string,
  maps: readonly Matrix[],
  dense: ChangingWeights,
  cut: ChangingWeights,
): Promise<void> {
  for (const leaf of [`${path}.weight`, `${path}.bias`]) {
    if (dense.has(leaf)) cut.write(leaf, mappedColumns(await dense.read(leaf), maps));
  }
}

/** [R, H·d] → [R, H·r]. */
function mappedColumns(matrix: Matrix, maps: readonly Matrix[]): Matrix {
  const { rows, columns: r } = maps[0] ?? zeroMatrix(0, 0);
  const result = zeroMatrix(matrix.rows, maps.length * r);
  const all = Array.from({ length: matrix.rows }, (_, row) => row);
  maps.forEach((map, head) => {
    const own = Array.from({ length: rows }, (_, dimension) => head * rows + dimension);
    const moved = product(submatrix(matrix, all, own), map);
    for (const row of all) {
      result.values.set(moved.values.subarray(row * r, (row + 1) * r), row * result.columns + head * r);
    }
  });
  return result;
}

/** [H, d, d] → a matrix for each head. Its scale does not matter: maps are the same for any. */
async function perHead(products: Tensor3D, heads: number, d: number): Promise<Matrix[]> {
  const values = await products.data<'float32'>();
  return Array.from({ length: heads }, (_, head) =>
    matrixFrom(values.subarray(head * d * d, (head + 1) * d * d), d, d),
  );
}
