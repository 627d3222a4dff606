import {
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  add,
  argMax,
  cast,
  concat,
  cumsum,
  div,
  equal,
  gather,
  greater,
  less,
  logicalAnd,
  logicalOr,
  matMul,
  max,
  maximum,
  range,
  reshape,
  sqrt,
  square,
  sub,
  sum,
  tensor1d,
  tensor2d,
  where,
  zeros,
} from '@tensorflow/tfjs-core';
import { runFused, withoutGradient } from './kernel';

export interface MergeShape {
  /** T: tokens per sequence. */
  readonly tokens: number;
  /** Tokens at the beginning of each sequence that stay as they are: class, distillation and register tokens. */
  readonly leading: number;
  /** r: tokens to merge into others, at most half of the T − leading. */
  readonly removed: number;
}

/** Below every cosine. */
const NEVER = -4;

/**
 * Says where each token goes when the r pairs of tokens that are most alike are merged (ToMe: Bolya et al., ICLR 2023,
 * Section 3, bipartite soft matching): metric [B·T, d] → [B·T] (int32), a row of the B·(T − r) that are left. Tokens
 * alternate into two sets; each of the first finds the one of the second at the smallest angle, and the r closest are merged
 * into it. Leading tokens keep their places, then come the rest of the first set and those of the second, in their order.
 * The first of equal ones counts, so that a sequence goes the same way in every batch. It has no gradient. An engine's `WinnowMergePlan`
 * answers it.
 */
export function mergePlan(metric: Tensor2D, { tokens, leading, removed }: MergeShape): Tensor1D {
  const shape = { tokens, leading, removed };
  return withoutGradient(() => {
    const [plan] = runFused<[Tensor1D]>('WinnowMergePlan', { metric }, shape, () => [
      composed(metric, shape),
    ]);
    return plan;
  });
}

function composed(metric: Tensor2D, { tokens: T, leading, removed: r }: MergeShape): Tensor1D {
  const batch = metric.shape[0] / T;
  const [A, B] = [Math.ceil(T / 2), Math.floor(T / 2)];
  const [leadingA, leadingB] = [Math.ceil(leading / 2), Math.floor(leading / 2)];
  const unit = div(metric, maximum(sqrt(sum(square(metric), 1, true)), 1e-12));
  const sequences: Tensor3D = reshape(unit, [batch, T, metric.shape[1]]);
  const setA = gather<Tensor3D>(sequences, range(0, T, 2, 'int32'), 1);
  const setB = gather<Tensor3D>(sequences, range(1, T, 2, 'int32'), 1);
  const closed = tensor1d(Float32Array.from({ length: B }, (_, j) => (j < leadingB ? NEVER : 0)));
  const alike = add<Tensor3D>(matMul(setA, setB, false, true), closed); // [B, A, B′]
  const target: Tensor2D = cast(argMax<Tensor2D>(alike, 2), 'float32'); // [B, A]
  const fixed = tensor1d(Float32Array.from({ length: A }, (_, i) => (i < leadingA ? 4 * NEVER : 0)));
  const best = add<Tensor2D>(max(alike, 2), fixed); // [B, A]
  const isMerged: Tensor2D = less(ranks(best), r); // [B, A]
  const stays = sub<Tensor2D>(1, cast(isMerged, 'float32'));
  const place = add<Tensor2D>(cumsum(stays, 1, true), tensor1d(shiftsOfFirst(A, leadingA, leadingB)));
  const placeA: Tensor2D = where(isMerged, add<Tensor2D>(target, A - r), place); // [B, A]
  const placeB = Float32Array.from({ length: B }, (_, j) => (j < leadingB ? 2 * j + 1 : A - r + j));
  const both = concat([placeA, add<Tensor2D>(zeros([batch, B]), tensor1d(placeB))], 1); // [B, T]
  const order = Int32Array.from({ length: T }, (_, t) => (t % 2 === 0 ? t / 2 : A + (t - 1) / 2));
  const places = gather<Tensor2D>(both, tensor1d(order, 'int32'), 1); // [B, T]
  const firsts = Float32Array.from({ length: batch }, (_, sequence) => sequence * (T - r));
  return cast(reshape(add(places, tensor2d(firsts, [batch, 1])), [batch * T]), 'int32');
}

/** From the number of unmerged tokens of the first set before each one to its place: leading ones keep theirs. */
const shiftsOfFirst = (A: number, leadingA: number, leadingB: number): Float32Array =>
  Float32Array.from({ length: A }, (_, i) => (i < leadingA ? i : leadingB));

/** [B, N] → how many of each row's numbers are greater, or equal and before it, [B, N]. */
function ranks(x: Tensor2D): Tensor2D {
  const [batch, N] = x.shape;
  const [own, others] = [reshape(x, [batch, N, 1]), reshape(x, [batch, 1, N])];
  const places = range(0, N, 1, 'float32');
  const isBefore = less<Tensor2D>(reshape(places, [1, N]), reshape(places, [N, 1]));
  const isAhead = logicalOr(greater(others, own), logicalAnd(equal(others, own), isBefore)); // [B, N, N]
  return sum<Tensor2D>(cast(isAhead, 'float32'), 2);
}
