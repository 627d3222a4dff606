import { type Tensor2D, add, div, matMul, mean, mul, ones, reshape, tensor1d } from '@tensorflow/tfjs-core';
import { type MergeShape, mergePlan } from '../operations/merge-plan';
import { withoutGradient } from '../operations/kernel';
import { scatterRows } from '../operations/scatter-rows';
import type { ProjectionParams } from './linear';
import { type LayerNormParams, normalize } from './norm';
import { type Observe, observeUnder } from './observe';

/** Merging of like tokens on the way through a tower (ToMe: Bolya et al., ICLR 2023). */
export interface TokenMerging {
  /** r: tokens that every block merges into others, at most half of those that may be merged. */
  readonly perBlock: number;
  /** The first block merges 2r, later ones linearly fewer, the last none (its Appendix D, "decreasing"). */
  readonly schedule?: 'decreasing';
  /** A merged token is looked at as one token, as suits models that were trained with merging (its Table 1d). */
  readonly proportional?: false;
}

/** The merging of a tower's tokens, the first `leading` of which never merge. */
export interface MergedTower {
  readonly merging: TokenMerging;
  readonly leading: number;
}

/** Tokens of a sequence that are left behind each block of a tower, the first of which are `leading`. */
export function tokensLeft(
  { perBlock, schedule }: TokenMerging,
  { blocks, tokens, leading }: { readonly blocks: number; readonly tokens: number; readonly leading: number },
): number[] {
  const left: number[] = [];
  for (let block = 0, now = tokens; block < blocks; block++) {
    const wanted =
      schedule === undefined ? perBlock : Math.floor(2 * perBlock * (1 - block / Math.max(1, blocks - 1)));
    now -= Math.min(wanted, Math.floor((now - leading) / 2));
    left.push(now);
  }
  return left;
}

/** States [B·T, D] of a tower's tokens, and as how many tokens each of them counts, [B, T]; without it each is one. */
export interface CountedStates {
  readonly states: Tensor2D;
  readonly counts?: Tensor2D | undefined;
}

/**
 * Says where tokens of sequences go, [B·T] as `mergePlan` has it, by the path of the merging (`blocks.3.merge`) and the keys that tell what
 * is alike, [B·T, dk]; nothing leaves it to the keys.
 */
export type Merge = (path: string, keys: Tensor2D, shape: MergeShape) => Int32Array | undefined;

/** The same for what stands under `key`. */
export const mergeUnder = (merge: Merge | undefined, key: string): Merge | undefined =>
  merge === undefined ? undefined : (path, keys, shape) => merge(`${key}.${path}`, keys, shape);

export interface MergeOptions {
  /** T: tokens per sequence before, and T′ behind. */
  readonly tokens: number;
  readonly left: number;
  /** Tokens at the beginning that are never merged. */
  readonly leading: number;
  /** H. */
  readonly heads: number;
  readonly normEpsilon: number;
  /** Sees what keys are made of, and what is merged, under `merge`. */
  readonly observe?: Observe | undefined;
  /** Says where tokens go in place of their keys. */
  readonly merge?: Merge | undefined;
}

/**
 * Merges the tokens of each sequence whose keys are most alike: x [B·T, D] → [B·T′, D], each the mean of what it is made
 * of, by counts (ToMe, Section 3).
 * @param attended The states that the block's attention took, [B·T, D], whose keys tell what is alike; their mean over heads
 * is a product with the mean of the heads' weights, which is all that is computed.
 */
export function mergeTokens(
  { states: x, counts }: CountedStates,
  attended: Tensor2D,
  norm: LayerNormParams,
  key: ProjectionParams,
  { tokens, left, leading, heads, normEpsilon, observe: seen, merge }: MergeOptions,
): CountedStates {
  const [rows] = x.shape;
  const observe = observeUnder(seen, 'merge');
  const batch = rows / tokens;
  const places = withoutGradient(() => {
    const keys = meanKeys(normalize(attended, norm, normEpsilon), key, heads, observe); // [B·T, dk]
    observe?.('alike', keys);
    const shape = { tokens, leading, removed: tokens - left };
    const told = merge?.('merge', keys, shape);
    return told === undefined ? mergePlan(keys, shape) : tensor1d(told, 'int32');
  });
  const before: Tensor2D = counts === undefined ? ones([rows, 1]) : reshape(counts, [rows, 1]);
  observe?.('counts', before);
  const after = withoutGradient(() => scatterRows(before, places, batch * left)); // [B·T′, 1]
  const weighted: Tensor2D = counts === undefined ? x : mul(x, before);
  observe?.('sums', weighted);
  const sums = scatterRows(weighted, places, batch * left);
  return { states: div(sums, after), counts: reshape(after, [batch, left]) };
}

/** x [N, D] → the mean of its keys over H heads, [N, dk]. */
function meanKeys(
  x: Tensor2D,
  { weight, bias }: ProjectionParams,
  heads: number,
  observe: Observe | undefined,
): Tensor2D {
  const [D, width] = weight.shape;
  const headDim = width / heads;
  observe?.('keys', x);
  const keys: Tensor2D = matMul(x, mean<Tensor2D>(reshape(weight, [D, heads, headDim]), 1));
  return bias === undefined ? keys : add<Tensor2D>(keys, mean(reshape(bias, [heads, headDim]), 0));
}
