import { type Tensor, type Tensor2D, add, erf, exp, mul, sigmoid, square, sub } from '@tensorflow/tfjs-core';
import { differentiable, runFused } from './kernel';

/** `gelu` is exact (erf); `quick-gelu` is CLIP's x·σ(1.702·x). Both map 0 to 0, so a unit cut before them is cut exactly. */
export type Activation = 'gelu' | 'quick-gelu';

const INVERSE_SQRT_2 = Math.SQRT1_2;
const INVERSE_SQRT_2PI = 1 / Math.sqrt(2 * Math.PI);
const QUICK_SLOPE = 1.702;

/** x [N, D] → [N, D], elementwise. */
export function activate(x: Tensor2D, activation: Activation): Tensor2D {
  switch (activation) {
    case 'gelu':
      return gelu(x);
    case 'quick-gelu':
      return quickGelu(x);
    default:
      return activation satisfies never;
  }
}

/** x·Φ(x) with the standard normal's distribution function Φ. */
export function gelu(x: Tensor2D): Tensor2D {
  return differentiable(
    [x],
    () => {
      const [value, cdf] = runFused<[Tensor2D, Tensor2D]>('WinnowGelu', { x }, {}, () => {
        const cdf = add<Tensor2D>(mul<Tensor2D>(erf(mul(x, INVERSE_SQRT_2)), 0.5), 0.5);
        return [mul(x, cdf), cdf];
      });
      return { value, saved: [x, cdf] };
    },
    (dy, saved) => {
      const [x, cdf] = both(saved);
      return runFused('WinnowGeluGradient', { dy, x, cdf }, {}, () => {
        const density = mul(exp(mul(square(x), -0.5)), INVERSE_SQRT_2PI);
        return [mul(dy, add(cdf, mul(x, density)))];
      });
    },
  );
}

/** x·σ(1.702·x). */
export function quickGelu(x: Tensor2D): Tensor2D {
  return differentiable(
    [x],
    () => {
      const [value, gate] = runFused<[Tensor2D, Tensor2D]>('WinnowQuickGelu', { x }, {}, () => {
        const gate = sigmoid<Tensor2D>(mul<Tensor2D>(x, QUICK_SLOPE));
        return [mul(x, gate), gate];
      });
      return { value, saved: [x, gate] };
    },
    (dy, saved) => {
      const [x, gate] = both(saved);
      return runFused('WinnowQuickGeluGradient', { dy, x, gate }, {}, () => {
        const slope = mul(mul(x, QUICK_SLOPE), sub(1, gate));
        return [mul(dy, mul(gate, add(slope, 1)))];
      });
    },
  );
}

function both([first, second]: readonly Tensor[]): [Tensor, Tensor] {
  if (first === undefined || second === undefined)
    throw new Error('activation: the forward pass saved nothing');
  return [first, second];
}
