import {
  type Rank,
  type Scalar,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  add,
  div,
  exp,
  fill,
  matMul,
  mul,
  ones,
  reshape,
  sub,
  sum,
  transpose,
} from '@tensorflow/tfjs-core';
import { withoutGradient } from '../operations/kernel';
import { unitLength } from '../operations/unit-length';

/** The search for a plan of transport. */
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

/** Words and regions of a batch, of which some are padding. */
export interface Transported {
  /** States of words [B, m, D], and which of them count, [B, m] of 1 and 0. */
  readonly told: Tensor3D;
  readonly words: Tensor2D;
  /** States of regions [B, n, D], and which of them count, [B, n] of 1 and 0. */
  readonly seen: Tensor3D;
  readonly regions: Tensor2D;
}

/**
 * The cost of {@link optimalTransport} for each example of a batch, [B]: m and n are the words and regions that count. An example needs
 * one of each at least.
 */
export function transportCosts(
  { told, words, seen, regions }: Transported,
  { beta = 0.5, iterations = 50 }: Transport = {},
): Tensor1D {
  const [[batch, m, D], n] = [told.shape, seen.shape[1]];
  const unit = (states: Tensor3D): Tensor3D =>
    reshape(unitLength(reshape(states, [batch * states.shape[1], D])), states.shape);
  const alike: Tensor3D = matMul(unit(told), unit(seen), false, true); // [B, m, n]
  const [rows, columns]: [Tensor3D, Tensor3D] = [
    reshape(regions, [batch, n, 1]),
    reshape(words, [batch, m, 1]),
  ];
  const counted = mul<Tensor3D>(columns, reshape(regions, [batch, 1, n])); // [B, m, n]
  const cost = mul<Tensor3D>(add(mul(alike, -1), 1), counted);
  const plan = withoutGradient(() => {
    const both: Tensor3D = transpose(counted, [0, 2, 1]); // [B, n, m]
    const kernel = mul<Tensor3D>(exp(mul(transpose<Tensor3D>(cost, [0, 2, 1]), -1 / beta)), both);
    const [perRow, perColumn] = [rows, columns].map((which) => div<Tensor3D>(which, sum(which, 1, true)));
    if (perRow === undefined || perColumn === undefined) throw new RangeError('expected both sides');
    /** Padding moves nothing: its share is 0, and it is divided by 1. */
    const shareOf = (share: Tensor3D, moved: Tensor3D, which: Tensor3D): Tensor3D =>
      div(share, add(moved, sub(1, which)));
    let found: Tensor3D = both;
    let sigma: Tensor3D = perColumn;
    for (let iteration = 0; iteration < iterations; iteration++) {
      const moved = mul<Tensor3D>(kernel, found);
      const delta = shareOf(perRow, matMul(moved, sigma), rows);
      sigma = shareOf(perColumn, matMul(moved, delta, true, false), columns);
      found = mul<Tensor3D>(mul<Tensor3D>(delta, moved), transpose<Tensor3D>(sigma, [0, 2, 1]));
    }
    return found;
  });
  return sum<Tensor1D>(mul(cost, transpose<Tensor3D>(plan, [0, 2, 1])), [1, 2]);
}
