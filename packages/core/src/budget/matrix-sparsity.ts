import type { Model } from '../families/model';
import { type ParameterMasks, keptCount } from '../mask/parameter-mask';
import { type PrunableMatrix, prunableMatrices } from './matrices';

/** A matrix, and the weights of it that a mask leaves. */
export interface MatrixSparsity extends PrunableMatrix {
  readonly kept: number;
  readonly size: number;
}

/** Counts what masks leave of each matrix that could be pruned; those without a mask are whole. */
export function matrixSparsities(
  dense: Pick<Model, 'sites' | 'specs' | 'readout'>,
  masks: ParameterMasks,
): MatrixSparsity[] {
  return prunableMatrices(dense).map((matrix) => {
    const [rows, columns] = matrix.shape;
    const [mask, size] = [masks[matrix.parameter], rows * columns];
    return { ...matrix, kept: mask === undefined ? size : keptCount(mask), size };
  });
}
