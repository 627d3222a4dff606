import { type Tensor, add, div, maximum, mul, sqrt, square, sum } from '@tensorflow/tfjs-core';
import { numbered } from '../tree/tree';
import { runFused } from './kernel';

/** PyTorch's: a norm of zero is divided by as well. */
const EPSILON = 1e-6;

/**
 * Scales tensors of any shapes so that their joint L2 norm is at most `maxNorm`, as PyTorch's clip_grad_norm_ does:
 * g · min(1, maxNorm/(‖g‖ + 1e-6)). A norm that is no number makes all of them none. Call it in a tidy.
 */
export function clipGradients(gradients: readonly Tensor[], maxNorm: number): Tensor[] {
  if (gradients.length === 0) return [];
  return runFused<Tensor[]>('WinnowClipGradients', numbered(gradients), { maxNorm, epsilon: EPSILON }, () => {
    const squares = gradients.map((gradient): Tensor => sum(square(gradient)));
    const norm = sqrt(squares.reduce((total, one) => add(total, one)));
    const scale = div(maxNorm, maximum(add(norm, EPSILON), maxNorm));
    return gradients.map((gradient) => mul(gradient, scale));
  });
}
