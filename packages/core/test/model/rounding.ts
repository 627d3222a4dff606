import { type Tensor, abs, add, max, mul, sub, tensor, tidy } from '@tensorflow/tfjs-core';
import { type TensorTree, mapTree, randomStream, sizeOf } from '../../src/index';

/** Twice the distance of float32 numbers around 1, as several operations round one after the other. */
const ROUNDING = 2 ** -22;
const DRAWS = 2;
/** Two right answers round at different places, each perhaps more unluckily than the draws. */
const MARGIN = 8;

/**
 * The difference that two right ways to compute the same may have: `least`, and more where the case is badly conditioned. A
 * norm over a few nearly equal numbers makes their rounding up to 1/√epsilon times as large, and so do norms of all norms
 * after it. How large is measured on the case itself: by what becomes of the result when every parameter is rounded otherwise.
 */
export function roundingBound<Params extends TensorTree>(
  params: Params,
  compute: (params: Params) => Tensor,
  least = 1e-5,
): number {
  return tidy(() => {
    const exact = compute(params);
    const responses = Array.from({ length: DRAWS }, (_, draw) =>
      tidy(
        () => max(abs(sub(compute(roundedOtherwise(params, draw)), exact))).dataSync<'float32'>()[0] ?? NaN,
      ),
    );
    return least + MARGIN * Math.max(...responses);
  });
}

function roundedOtherwise<Params extends TensorTree>(params: Params, draw: number): Params {
  return mapTree(params, (leaf, path) => {
    const random = randomStream(draw, 'rounding', path);
    const noise = Float32Array.from(
      { length: sizeOf(leaf) },
      () => (random.uniform() < 0.5 ? -1 : 1) * ROUNDING,
    );
    return add(leaf, mul(leaf, tensor(noise, leaf.shape)));
  });
}
