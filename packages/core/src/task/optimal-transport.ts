import {
  type Rank,
  type Scalar,
  type Tensor2D,
  add,
  div,
  exp,
  fill,
  matMul,
  mul,
  ones,
  reshape,
  sum,
  transpose,
} from '@tensorflow/tfjs-core';
import { withoutGradient } from '../operations/kernel';
import { unitLength } from '../operations/unit-length';

/** How a plan of transport is looked for. */
export interface Transport {
  /** Default 0.5. */
  readonly beta?: number;
  /** Default 50. */
  readonly iterations?: number;
}

/**
 * A plan that brings n things to m others at little cost, T [n, m], by inexact proximal points (Xie et al., 2020, IPOT, Algorithm 1;
 * dandelin/ViLT, `ipot`): its columns add up to 1/m, its rows tend to 1/n. It is a constant: no gradient goes through it.
 * @param cost [m, n].
 */
export function transportPlan(cost: Tensor2D, { beta = 0.5, iterations = 50 }: Transport = {}): Tensor2D {
  return withoutGradient(() => {
    const [m, n] = cost.shape;
    const kernel = exp<Tensor2D>(mul<Tensor2D>(transpose<Tensor2D>(cost), -1 / beta)); // [n, m]
    let plan: Tensor2D = ones<Rank.R2>([n, m]);
    let sigma: Tensor2D = fill<Rank.R2>([m, 1], 1 / m);
    for (let iteration = 0; iteration < iterations; iteration++) {
      const moved = mul<Tensor2D>(kernel, plan);
      const delta: Tensor2D = div<Tensor2D>(1 / n, matMul<Tensor2D>(moved, sigma)); // [n, 1]
      sigma = div<Tensor2D>(1 / m, matMul<Tensor2D>(moved, delta, true, false)); // [m, 1]
      plan = mul<Tensor2D>(mul<Tensor2D>(delta, moved), reshape(sigma, [1, m]));
    }
    return plan;
  });
}

/**
 * The cost of bringing words and patches together, by the plan that costs least: the sum of C·T (Chen et al., 2020, UNITER, Section
 * 3.2). The gradient goes through the cost alone.
 * @param one States of m words [m, D]. @param other States of n patches or regions [n, D].
 */
export function optimalTransport(one: Tensor2D, other: Tensor2D, how: Transport = {}): Scalar {
  const alike: Tensor2D = matMul(unitLength(one), unitLength(other), false, true); // [m, n]
  const cost: Tensor2D = add(mul(alike, -1), 1);
  return sum(mul(cost, transpose<Tensor2D>(transportPlan(cost, how))));
}
