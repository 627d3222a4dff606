import { type Tensor2D, type Tensor3D, div, mul, reshape, sub, sum, transpose } from '@tensorflow/tfjs-core';
import { columnProducts } from '../operations/column-products';
import type { CountedRows } from './moments';

/** Queries, keys or values, heads side by side [N, H·d]; rows of a sequence stand one after another. */
export interface HeadRows extends CountedRows {
  /** T: rows of each sequence. */
  readonly tokens?: number;
}

/** Σ xᵀx over the counted rows, of each head by itself: [N, H·d] → [H, d, d]. */
export function headProducts({ values, counted }: HeadRows, heads: number): Tensor3D {
  const [N, width] = values.shape;
  const weighted: Tensor2D = counted === undefined ? values : mul(values, reshape(counted, [N, 1]));
  const perHead: Tensor3D = transpose(reshape(weighted, [N, heads, width / heads]), [1, 0, 2]); // [H, N, d]
  return columnProducts(perHead, perHead);
}

/** Rows about the mean of their sequence, [N, H·d]: what all tokens of a sequence have alike is gone. */
export function withinSequences({ values, counted, tokens }: HeadRows): Tensor2D {
  const [N, width] = values.shape;
  const T = tokens ?? N;
  const perSequence: Tensor3D = reshape(values, [N / T, T, width]);
  const weights = counted === undefined ? undefined : reshape(counted, [N / T, T, 1]);
  const total = sum(weights === undefined ? perSequence : mul(perSequence, weights), 1, true); // [B, 1, width]
  const mean = div(total, weights === undefined ? T : sum(weights, 1, true));
  return reshape(sub(perSequence, mean), [N, width]);
}
