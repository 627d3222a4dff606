import { type Tensor, type Tensor2D, type Tensor3D, matMul, reshape, tensor2d } from '@tensorflow/tfjs-core';
import { differentiable, runFused } from './kernel';

/** Rows and columns of a grid. */
type Sides = readonly [rows: number, columns: number];

/**
 * Weights that bring `from` values along an axis to `to` of them: [to, from], two or one in each row. Values stand in the middles of
 * their cells, and those beyond the border are the border's (PyTorch, `interpolate` with `bilinear` and `align_corners=False`).
 */
export function bilinearWeights(from: number, to: number): Float32Array<ArrayBuffer> {
  const weights = new Float32Array(to * from);
  for (let row = 0; row < to; row++) {
    const place = Math.max(0, ((row + 0.5) * from) / to - 0.5);
    const first = Math.min(from - 1, Math.floor(place));
    const second = Math.min(from - 1, first + 1);
    const share = Math.min(1, place - first);
    const at = row * from;
    weights[at + first] = (weights[at + first] ?? 0) + 1 - share;
    weights[at + second] = (weights[at + second] ?? 0) + share;
  }
  return weights;
}

/**
 * Pictures or grids of K values, x [B·h·w, K] → [B·H·W, K], between the values along straight lines. An engine's `WinnowResizeBilinear`
 * answers it where all rows are wanted.
 * @param rows Those of the result that are wanted, `[first, end]`; all of them where nothing is said.
 */
export function resizeBilinear(
  x: Tensor2D,
  [height, width]: Sides,
  [toHeight, toWidth]: Sides,
  rows: readonly [first: number, end: number] = [0, toHeight],
): Tensor2D {
  const [first, end] = rows;
  const isWhole = first === 0 && end === toHeight;
  if (height === toHeight && width === toWidth && isWhole) return x;
  const [all, K] = x.shape;
  const batch = all / (height * width);
  const count = end - first;
  return differentiable(
    [x],
    () => {
      const across = tensor2d(bilinearWeights(width, toWidth), [toWidth, width]);
      const weights = bilinearWeights(height, toHeight).subarray(first * height, end * height);
      const down = tensor2d(weights, [count, height]);
      const compose = (): [Tensor2D] => {
        const wide = matMul<Tensor3D>(batched(across), reshape(x, [batch * height, width, K])); // [B·h, W, K]
        const whole = matMul<Tensor3D>(batched(down), reshape(wide, [batch, height, toWidth * K])); // [B, H, W·K]
        return [reshape(whole, [batch * count * toWidth, K])];
      };
      const sides = { height, width, toHeight, toWidth };
      const [value] = isWhole ? runFused('WinnowResizeBilinear', { x }, sides, compose) : compose();
      return { value, saved: [across, down] };
    },
    (dy, [across, down]) => {
      if (across === undefined || down === undefined) throw new Error('resizeBilinear: nothing was saved');
      const dWhole: Tensor3D = reshape(dy, [batch, count, toWidth * K]);
      const dWide = matMul<Tensor3D>(batched(down), dWhole, true, false); // [B, h, W·K]
      const perRow: Tensor3D = reshape(dWide, [batch * height, toWidth, K]);
      return [reshape(matMul<Tensor3D>(batched(across), perRow, true, false), [all, K])];
    },
  );
}

/** A matrix [m, k] as [1, m, k], for products with many. */
const batched = (matrix: Tensor): Tensor3D => {
  const [rows = 0, columns = 0] = matrix.shape;
  return reshape(matrix, [1, rows, columns]);
};
