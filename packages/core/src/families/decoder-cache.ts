import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  concat,
  gather,
  reshape,
} from '@tensorflow/tfjs-core';
import type { Remembered } from '../layers/attention';
import type { BlockCache } from '../layers/cross-block';

/** Keys and values of texts that are being written. */
export interface DecoderCache {
  readonly blocks: readonly BlockCache[];
  /** Tokens that each text has so far. */
  readonly length: number;
}

/** Keys and values of texts, [M·P, W] each, with those of one more token of each, [M·(P + 1), W]. */
export function appendTokens(before: Remembered | undefined, now: Remembered, texts: number): Remembered {
  if (before === undefined) return now;
  const joined = (old: Tensor2D, own: Tensor2D): Tensor2D => {
    const width = own.shape[1];
    const all = concat<Tensor3D>(
      [reshape(old, [texts, before.tokens, width]), reshape(own, [texts, now.tokens, width])],
      1,
    );
    return reshape(all, [texts * (before.tokens + now.tokens), width]);
  };
  return {
    key: joined(before.key, now.key),
    value: joined(before.value, now.value),
    tokens: before.tokens + now.tokens,
  };
}

/** The same cache, whose text i goes on from text `rows[i]`; rows [M] int32. */
export function reorderTexts(cache: DecoderCache, rows: Tensor1D): DecoderCache {
  const picked = (x: Tensor2D, tokens: number): Tensor2D => {
    const [all, width] = x.shape;
    const texts = all / tokens;
    const perText: Tensor2D = reshape(x, [texts, tokens * width]);
    return reshape(gather(perText, rows), [rows.shape[0] * tokens, width]);
  };
  return {
    ...cache,
    blocks: cache.blocks.map(({ own, memories }) => ({
      memories,
      ...(own === undefined
        ? {}
        : {
            own: { ...own, key: picked(own.key, own.tokens), value: picked(own.value, own.tokens) },
          }),
    })),
  };
}

/** All tensors that belong to the texts of a cache alone: whoever lets go of it disposes them. */
export const textTensors = ({ blocks }: DecoderCache): Tensor[] =>
  blocks.flatMap(({ own }) => (own === undefined ? [] : [own.key, own.value]));

/** The tensors of its memories, which all caches of the same texts share. */
export const memoryTensors = ({ blocks }: DecoderCache): Tensor[] =>
  blocks.flatMap(({ memories }) => memories.flatMap(({ key, value }) => [key, value]));
