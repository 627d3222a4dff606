import { type Tensor1D, type Tensor2D, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { type Matrix, mapped, matrixFrom } from '../algebra/matrix';
import { type RemovalOptions, type RemovalOrder, removalOrder } from './removal';
import { runFused } from '../operations/kernel';

/** A covariance as it was summed up: s·Σ + λI. */
export interface DampedSums {
  /** [copies · units, copies · units] */
  readonly sums: Tensor2D;
  /** s: one by the number of rows. */
  readonly scale: number;
  /** λ. */
  readonly ridge: number;
}

/**
 * The order in which units go (`removalOrder`), by the engine where it has a kernel of it, which computes in double precision from
 * numbers of float32.
 * @param weight The matrix that reads the columns, [copies · units, D].
 * @throws {Error} when s·Σ + λI is not positive definite, or an error is not a number.
 */
export function removalOrderOf(
  { sums, scale, ridge }: DampedSums,
  weight: Matrix,
  { count, copies = 1, added }: RemovalOptions,
): RemovalOrder {
  const units = weight.rows / copies;
  return tidy(() => {
    const [removed, errors] = runFused<[Tensor1D, Tensor1D]>(
      'WinnowRemovalOrder',
      {
        sums,
        weight: tensor2d(Float32Array.from(weight.values), [weight.rows, weight.columns]),
        added: tensor1d(Float32Array.from(added ?? new Float32Array(units))),
      },
      { scale, ridge, copies, count },
      () => {
        const scaled = matrixFrom(sums.dataSync<'float32'>(), weight.rows, weight.rows);
        const whole = mapped(scaled, (value, row, column) => value * scale + (row === column ? ridge : 0));
        const order = removalOrder(whole, weight, {
          count,
          copies,
          ...(added === undefined ? {} : { added }),
        });
        return [tensor1d([...order.removed], 'int32'), tensor1d([...order.errors])];
      },
    );
    return { removed: [...removed.dataSync()], errors: [...errors.dataSync()] };
  });
}
