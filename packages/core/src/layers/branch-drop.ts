import { type Tensor2D, add, mul, reshape, sub } from '@tensorflow/tfjs-core';

/**
 * Says how much of a residual branch each example of a batch gets, [B, 1]; undefined where all get the whole of it.
 * @param branch Names the branch in its model.
 * @param height The share of its tower's blocks that it stands above: 0 in the first block, 1 in the last.
 */
export type BranchDrop = (branch: string, height: number, batch: number) => Tensor2D | undefined;

/** The branches of a part of the model. */
export const dropUnder = (drop: BranchDrop | undefined, part: string): BranchDrop | undefined =>
  drop === undefined ? undefined : (branch, height, batch) => drop(`${part}.${branch}`, height, batch);

/**
 * A residual stream before and after a branch, [B·T, D] each → x + f·(y − x), f the factor of each example, [B, 1].
 */
export function dropped(x: Tensor2D, y: Tensor2D, factors: Tensor2D | undefined): Tensor2D {
  if (factors === undefined) return y;
  const [rows, D] = x.shape;
  const [batch] = factors.shape;
  const added: Tensor2D = reshape(sub(y, x), [batch, (rows / batch) * D]);
  const kept: Tensor2D = reshape(mul(added, factors), [rows, D]);
  return add(x, kept);
}
