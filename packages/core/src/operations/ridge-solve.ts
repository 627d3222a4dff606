import { type Tensor1D, type Tensor2D, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { dampedFactor, solved } from '../algebra/cholesky';
import { mapped, matrixFrom } from '../algebra/matrix';
import { runFused } from './kernel';

export interface RidgeSystem {
  /** Sums of products of columns, [W, W]. */
  readonly sums: Tensor2D;
  /** Sums of products with the columns that are wanted, [W, V]. */
  readonly cross: Tensor2D;
  /** The factor of both: one by the number of rows. */
  readonly scale: number;
  /** λ. */
  readonly ridge: number;
}

/**
 * Δ with (s·Σ + λI)·Δ = s·C, [W, V], by a factor of Cholesky in double precision; and the share by which rounding in the sums
 * made the diagonal grow, [1] (`dampedFactor`). An engine without a kernel of it solves on the host. It has no gradient.
 * @throws {Error} when the matrix is not positive definite, whatever its diagonal grows by.
 */
export function ridgeSolve({ sums, cross, scale, ridge }: RidgeSystem): {
  solution: Tensor2D;
  damping: Tensor1D;
} {
  const [solution, damping] = runFused<[Tensor2D, Tensor1D]>(
    'WinnowRidgeSolve',
    { sums, cross },
    { scale, ridge },
    () => {
      const [W, V] = cross.shape;
      const scaled = matrixFrom(sums.dataSync<'float32'>(), W, W);
      const whole = mapped(scaled, (value, row, column) => value * scale + (row === column ? ridge : 0));
      const wanted = mapped(matrixFrom(cross.dataSync<'float32'>(), W, V), (value) => value * scale);
      const found = dampedFactor(whole);
      const { values } = solved(found.factor, wanted);
      return [tensor2d(Float32Array.from(values), [W, V]), tensor1d([found.damping])];
    },
  );
  return { solution, damping };
}
