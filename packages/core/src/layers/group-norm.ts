import { type Tensor2D, add, mul, ones, reshape, transpose, zeros } from '@tensorflow/tfjs-core';
import { layerNorm } from '../operations/layer-norm';
import type { LayerNormParams } from './norm';

/** PyTorch's. */
const EPSILON = 1e-5;

/**
 * Group normalisation (Wu and He, 2018): x [B·N, C] → [B·N, C], where the C/G channels of a group are normalised together over the N
 * cells of each grid.
 * @param cells N. @param groups G, which divides C.
 */
export function groupNorm(
  x: Tensor2D,
  { weight, bias }: LayerNormParams,
  { cells, groups }: { readonly cells: number; readonly groups: number },
): Tensor2D {
  const [rows, C] = x.shape;
  const [batch, each] = [rows / cells, C / groups];
  const byGroup = transpose(reshape(x, [batch, cells, groups, each]), [0, 2, 1, 3]); // [B, G, N, C/G]
  const size = cells * each;
  const flat: Tensor2D = reshape(byGroup, [batch * groups, size]);
  const normed = layerNorm(flat, ones([size]), zeros([size]), EPSILON);
  const back = transpose(reshape(normed, [batch, groups, cells, each]), [0, 2, 1, 3]); // [B, N, G, C/G]
  return add(mul(reshape(back, [rows, C]), weight), bias);
}
