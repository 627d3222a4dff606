import { type Tensor1D, type Tensor2D, expandDims, gather, scatterND } from '@tensorflow/tfjs-core';
import { differentiable } from './kernel';

/**
 * Sums of rows: x [N, D], rows [N] (int32, below `height`) → [height, D], where row r is the sum of what is sent there, 0
 * where nothing is. The places have no gradient.
 */
export function scatterRows(x: Tensor2D, rows: Tensor1D, height: number): Tensor2D {
  return differentiable(
    [x],
    () => ({ value: scatterND(expandDims(rows, 1), x, [height, x.shape[1]]), saved: [rows] }),
    (dy, [rows]) => {
      if (rows === undefined) throw new Error('scatterRows: the forward pass saved no rows');
      return [gather(dy, rows)];
    },
  );
}
