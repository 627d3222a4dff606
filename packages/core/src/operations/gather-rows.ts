import { type Tensor1D, type Tensor2D, expandDims, gather, scatterND } from '@tensorflow/tfjs-core';
import { differentiable } from './kernel';

/**
 * Rows of a table: table [V, D], rows [N] (int32, below V) → [N, D]. The gradient of a row that is taken several times
 * is the sum over its uses; rows have none.
 */
export function gatherRows(table: Tensor2D, rows: Tensor1D): Tensor2D {
  const [height, width] = table.shape;
  return differentiable(
    [table],
    () => ({ value: gather(table, rows), saved: [rows] }),
    (dy, [rows]) => {
      if (rows === undefined) throw new Error('gatherRows: the forward pass saved no rows');
      return [scatterND(expandDims(rows, 1), dy, [height, width])];
    },
  );
}
