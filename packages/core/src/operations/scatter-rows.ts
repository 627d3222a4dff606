import { type Tensor1D, type Tensor2D, expandDims, gather, scatterND } from '@tensorflow/tfjs-core';
import { differentiable, runFused } from './kernel';

/**
 * Sums of rows: x [N, D], rows [N] (int32, below `height`) → [height, D], where row r is the sum of what is sent there, 0
 * where nothing is. The places have no gradient. An engine's `WinnowScatterRows` answers it.
 */
export function scatterRows(x: Tensor2D, rows: Tensor1D, height: number): Tensor2D {
  return differentiable(
    [x],
    () => {
      const [value] = runFused<[Tensor2D]>('WinnowScatterRows', { x, rows }, { height }, () => [
        scatterND(expandDims(rows, 1), x, [height, x.shape[1]]),
      ]);
      return { value, saved: [rows] };
    },
    (dy, [rows]) => {
      if (rows === undefined) throw new Error('scatterRows: the forward pass saved no rows');
      return [gather(dy, rows)];
    },
  );
}
