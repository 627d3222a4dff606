import {
  type Scalar,
  type Tensor,
  abs,
  add,
  exp,
  log,
  mul,
  neg,
  relu,
  sigmoid,
  square,
  sub,
  sum,
} from '@tensorflow/tfjs-core';
import { differentiable } from './kernel';

const ALPHA = 0.25;

/**
 * Sigmoid focal loss (Lin et al., 2017, Equation 5; α 0.25, γ 2) of logits that each say yes or no, summed with weights. `focalLoss` is
 * the plain function of one. Targets and weights get no gradient.
 * @param targets 0 or 1, of the shape of the logits.
 * @param weights Of a shape that fits it: 0 leaves a logit out.
 */
export function sigmoidFocalLoss<Logits extends Tensor>(
  logits: Logits,
  targets: Tensor,
  weights: Tensor,
): Scalar {
  return differentiable<Scalar>(
    [logits],
    () => {
      const toward = sub(mul(targets, 2), 1); // 1 or −1
      const right = mul(logits, toward);
      const missing = sigmoid(neg(right)); // 1 − p of the truth
      const surprise = add(relu(neg(right)), log(add(exp(neg(abs(right))), 1))); // −log p
      const balance = add(mul(targets, 2 * ALPHA - 1), 1 - ALPHA);
      const scale = mul(mul(weights, balance), square(missing));
      const slope = add(mul(mul(sub(1, missing), surprise), 2), missing);
      return { value: sum<Scalar>(mul(scale, surprise)), saved: [neg(mul(mul(scale, slope), toward))] };
    },
    (dy, saved) => saved.map((difference) => mul(difference, dy)),
  );
}
