import { type Scalar, type Tensor2D, div, exp, logSoftmax, mul, neg, sub, sum } from '@tensorflow/tfjs-core';
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
