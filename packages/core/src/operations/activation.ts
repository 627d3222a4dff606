import { type Tensor, type Tensor2D, add, erf, exp, mul, sigmoid, square, sub } from '@tensorflow/tfjs-core';
import { differentiable, runFused } from './kernel';

/**
 * `gelu` is exact (erf), `gelu-tanh` its approximation in SigLIP and BERT's first code, `quick-gelu` CLIP's x·σ(1.702·x).
 * All map 0 to 0, so a unit cut before them is cut exactly.
 */
export type Activation = 'gelu' | 'gelu-tanh' | 'quick-gelu';

const INVERSE_SQRT_2 = Math.SQRT1_2;
const INVERSE_SQRT_2PI = 1 / Math.sqrt(2 * Math.PI);
const QUICK_SLOPE = 1.702;
/** ½(1 + tanh(u)) = σ(2u), with u = √(2/π)·(x + 0.044715·x³). */
const TANH_SLOPE = 2 * Math.sqrt(2 / Math.PI);
const TANH_CUBE = 0.044715;

/** x [N, D] → [N, D], elementwise. */
export function activate(x: Tensor2D, activation: Activation): Tensor2D {
  switch (activation) {
    case 'gelu':
      return gelu(x);
    case 'gelu-tanh':
      return geluTanh(x);
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

/** x·½(1 + tanh(√(2/π)·(x + 0.044715·x³))) (Hendrycks and Gimpel, 2016, Section 2). */
export function geluTanh(x: Tensor2D): Tensor2D {
  return differentiable(
    [x],
    () => {
      const [value, gate] = runFused<[Tensor2D, Tensor2D]>('WinnowGeluTanh', { x }, {}, () => {
        const bent: Tensor2D = mul(x, add(mul(square(x), TANH_CUBE * TANH_SLOPE), TANH_SLOPE)); // 2u
        const gate = sigmoid<Tensor2D>(bent);
        return [mul(x, gate), gate];
      });
      return { value, saved: [x, gate] };
    },
    (dy, saved) => {
      const [x, gate] = both(saved);
      return runFused('WinnowGeluTanhGradient', { dy, x, gate }, {}, () => {
        const slope = mul(x, add(mul(square(x), 3 * TANH_CUBE * TANH_SLOPE), TANH_SLOPE)); // x·(2u)′
        return [mul(dy, mul(gate, add(mul(slope, sub(1, gate)), 1)))];
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
