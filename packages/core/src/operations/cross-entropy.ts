import {
  type Scalar,
  type Tensor2D,
  abs,
  add,
  div,
  exp,
  log,
  logSoftmax,
  maximum,
  mul,
  neg,
  sigmoid,
  sub,
  sum,
} from '@tensorflow/tfjs-core';
import { differentiable, runFused } from './kernel';

/**
 * Mean cross-entropy of logits [B, K] against target distributions [B, K] (one-hot or smoothed; rows sum to 1).
 * Targets get no gradient.
 */
export function softmaxCrossEntropy(logits: Tensor2D, targets: Tensor2D): Scalar {
  const batch = logits.shape[0];
  return differentiable(
    [logits],
    () => {
      const [value, difference] = runFused<[Scalar, Tensor2D]>(
        'WinnowSoftmaxCrossEntropy',
        { logits, targets },
        {},
        () => {
          const logProbabilities = logSoftmax<Tensor2D>(logits);
          const loss = div<Scalar>(neg(sum(mul(targets, logProbabilities))), batch);
          return [loss, div<Tensor2D>(sub(exp(logProbabilities), targets), batch)];
        },
      );
      return { value, saved: [difference] };
    },
    (dy, saved) => saved.map((difference) => mul(difference, dy)),
  );
}

/**
 * Cross-entropy of logits [N, M] that each say yes or no, against targets [N, M] from 0 to 1: summed over all of them, over
 * N (Zhai et al., 2023, Equation 1). Targets get no gradient.
 */
export function sigmoidCrossEntropy(logits: Tensor2D, targets: Tensor2D): Scalar {
  const rows = logits.shape[0];
  return differentiable(
    [logits],
    () => {
      // log(1 + eˡ) − t·l, without an exponential that overflows
      const rest = log(add(exp(neg(abs(logits))), 1));
      const each = sub(add(maximum(logits, 0), rest), mul(targets, logits));
      const difference = div<Tensor2D>(sub(sigmoid(logits), targets), rows);
      return { value: div<Scalar>(sum(each), rows), saved: [difference] };
    },
    (dy, saved) => saved.map((difference) => mul(difference, dy)),
  );
}
