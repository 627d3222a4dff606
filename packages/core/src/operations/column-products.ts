import { type Tensor2D, type Tensor3D, matMul } from '@tensorflow/tfjs-core';
import { runFused } from './kernel';

/**
 * xᵀy in float32, whatever precision the engine multiplies in: [N, W] and [N, V] → [W, V], or the same of each of H, [H, N, W]
 * and [H, N, V] → [H, W, V]. A product in bf16 rounds its sums too, and a matrix of such sums is no covariance. It has no
 * gradient.
 */
export function columnProducts<Rows extends Tensor2D | Tensor3D>(x: Rows, y: Rows): Rows {
  const [products] = runFused<[Rows]>('WinnowColumnProducts', { x, y }, {}, () => [matMul<Rows>(x, y, true)]);
  return products;
}
