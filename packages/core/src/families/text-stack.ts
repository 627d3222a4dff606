import {
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  add,
  matMul,
  reshape,
  slice,
} from '@tensorflow/tfjs-core';
import { dropUnder } from '../layers/branch-drop';
import { type BlockCache, type CrossBlockParams, type Memory, crossBlock } from '../layers/cross-block';
import { type Layer, type Use, bare, beneath, placed, stack, together } from '../layers/layer';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import { type LayerNormParams, normLayer, normalize } from '../layers/norm';
import { enterUnder, observeCounting, observeUnder, resultOf } from '../layers/observe';
import { type ParameterSpec, normal, zeros } from '../layers/parameter';
import { activate } from '../operations/activation';
import { gatherRows } from '../operations/gather-rows';
import { type DecoderCache, appendTokens, reorderTexts } from './decoder-cache';
import type { Hooks } from './hooks';
import type { TextStackConfig } from './text-stack-config';

export type WordHeadParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  transform: LinearParams<Matrix, Vector>; // [D, D]
  norm: LayerNormParams<Vector>;
  /** One for each word; their matrix is that of the embedding. */
  bias: Vector; // [V]
};

export type TextStackParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  words: Matrix; // [V, D]
  positions: Matrix; // [positions, D]
  embeddingNorm?: LayerNormParams<Vector>;
  blocks: CrossBlockParams<Matrix, Vector>[];
  norm?: LayerNormParams<Vector>;
  head?: WordHeadParams<Matrix, Vector>;
};

/** The purpose of a stack, and its use on one example. */
export interface TextStackUse {
  /** D′: width of the memories. */
  readonly memoryDim: number;
  /** Texts that are read, of N tokens each: those of all modes. */
  readonly texts: number;
  /** The uses of cross-attention: one entry for each memory, with the tokens that look at it. */
  readonly cross: readonly Use[];
  /** It writes words, and so many texts are scored word by word; it has no head without this. */
  readonly written?: number;
}

/** The reading of texts. */
export interface Reading {
  /** A token sees only itself and earlier ones. */
  readonly causal: boolean;
  /** [M, N], 0 for padding. A causal reading needs none, as no token looks at what comes behind it. */
  readonly counts?: Tensor2D | undefined;
  /** Whose texts follow one another, as many of each; none for texts by themselves. */
  readonly memories: readonly Memory[];
}

/**
 * A text stack in three modes (Li et al., 2022, BLIP, Section 3.1): texts by themselves, texts about memories read both ways,
 * and texts about memories written word by word. Initial values are BERT's, with a deviation of 0.02 for embeddings.
 */
export function textStack(config: TextStackConfig, use: TextStackUse) {
  const { vocabulary, context, positions, embedDim: D, normEpsilon, norm: place, activation } = config;
  const depth = config.blocks.length;
  const every = { uses: Array.from({ length: use.texts }, (): Use => ({ tokens: context })) };
  const merging = Math.ceil(depth / 2);
  const blocks = config.blocks.map((shape, index) =>
    crossBlock(
      { ...config, memoryDim: use.memoryDim, merges: shape.cross.length > 1 && index >= merging },
      shape,
      use.cross,
    ),
  );
  const norm = normLayer(D, normEpsilon);
  const first = <Specs extends ParameterSpec | LayerNormParams<ParameterSpec>>(layer: Layer<Specs>) =>
    beneath(depth + 1, layer);
  const parts = {
    words: first(bare(normal([vocabulary, D], 0.02))),
    positions: first(bare(normal([positions, D], 0.02))),
    ...(place === 'after' ? { embeddingNorm: first(placed(every, norm)) } : {}),
    blocks: placed(
      every,
      stack(
        blocks.map((block, index) => beneath(depth - index, block)),
        'blocks',
      ),
    ),
    ...(place === 'before' ? { norm: placed(every, norm) } : {}),
    ...(use.written === undefined
      ? {}
      : { head: wordHead(D, vocabulary, { texts: use.written, tokens: context, normEpsilon }) }),
  };

  /** Tokens [M, N] at the places from `start` on → [M·N, D]. */
  const embed = (
    params: TextStackParams,
    tokens: Tensor2D,
    start: number,
    { perturb }: Hooks = {},
  ): Tensor2D => {
    const [texts, length] = tokens.shape;
    if (start + length > positions) {
      throw new RangeError(`expected texts of at most ${positions} tokens, got ${start + length}`);
    }
    const rows = gatherRows(params.words, reshape(tokens, [texts * length]));
    const words: Tensor3D = reshape(rows, [texts, length, D]);
    const seen = perturb === undefined ? words : perturb('words', words);
    const places: Tensor2D =
      length === positions ? params.positions : slice(params.positions, [start, 0], [length, D]);
    const flat: Tensor2D = reshape(add(seen, places), [texts * length, D]);
    return params.embeddingNorm === undefined ? flat : normalize(flat, params.embeddingNorm, normEpsilon);
  };
  const ended = (params: TextStackParams, states: Tensor2D): Tensor2D =>
    params.norm === undefined ? states : normalize(states, params.norm, normEpsilon);
  const ofBlock = (params: TextStackParams, index: number): CrossBlockParams => {
    const own = params.blocks[index];
    if (own === undefined) throw new RangeError(`the text stack has no parameters for block ${index}`);
    return own;
  };
  const speak = (params: TextStackParams, states: Tensor2D, observe?: Hooks['observe']): Tensor2D => {
    const { head } = params;
    if (head === undefined) throw new RangeError('expected a text stack that writes words');
    const thought = activate(project(states, head.transform, 'head.transform', observe), activation);
    const normed = normalize(thought, head.norm, normEpsilon);
    observe?.('head.bias', normed);
    const logits = add<Tensor2D>(matMul(normed, params.words, false, true), head.bias); // [M·N, V]
    observe?.(resultOf('head.bias'), logits);
    return logits;
  };

  return {
    layer: together(parts),
    /** Texts [M, N] (int32) → last hidden states of all tokens, [M·N, D]. */
    states: (
      params: TextStackParams,
      tokens: Tensor2D,
      { causal, counts, memories }: Reading,
      hooks: Hooks = {},
    ): Tensor2D => {
      const [, length] = tokens.shape;
      const observing = counts === undefined ? hooks.observe : observeCounting(hooks.observe, () => counts);
      const observe = observeUnder(observing, 'blocks');
      const enter = enterUnder(hooks.enter, 'blocks');
      const drop = dropUnder(hooks.drop, 'text');
      const states = blocks.reduce(
        (below, block, index) => {
          const name = String(index);
          const x = enter === undefined ? below : enter(name, below);
          if (x === undefined) return below;
          observe?.(name, x, { tokens: length });
          const y = block.run(ofBlock(params, index), x, {
            ...{ tokens: length, causal, memories, height: index / Math.max(1, depth - 1) },
            ...(causal ? {} : { counts }),
            observe: observeUnder(observe, name),
            drop: dropUnder(drop, name),
          });
          observe?.(resultOf(name), y);
          return y;
        },
        embed(params, tokens, 0, hooks),
      );
      return ended(params, states);
    },
    /** States [M·N, D] → logits of the next word, [M·N, V]. */
    speak,
    /** A cache for texts about memories, before their first token. Call it in a tidy, which may keep it. */
    begin: (params: TextStackParams, memories: readonly Memory[]): DecoderCache => ({
      blocks: blocks.map((block, index) => block.remember(ofBlock(params, index), memories)),
      length: 0,
    }),
    /** One more token of each text, [M] → logits of the next word [M, V], and the cache behind it. */
    advance: (
      params: TextStackParams,
      tokens: Tensor1D,
      cache: DecoderCache,
    ): { readonly logits: Tensor2D; readonly cache: DecoderCache } => {
      const [texts] = tokens.shape;
      const next: BlockCache[] = [];
      const states = blocks.reduce(
        (below, block, index) => {
          const own = cache.blocks[index];
          if (own === undefined) throw new RangeError(`the cache has nothing of block ${index}`);
          const advanced = block.advance(ofBlock(params, index), below, own, (before, now) =>
            appendTokens(before, now, texts),
          );
          next.push(advanced.cache);
          return advanced.states;
        },
        embed(params, reshape(tokens, [texts, 1]), cache.length),
      );
      return {
        logits: speak(params, ended(params, states)),
        cache: { blocks: next, length: cache.length + 1 },
      };
    },
    /** The same cache, whose text i goes on from text `rows[i]`, of the same memory; memories stay. */
    reorder: (cache: DecoderCache, rows: Tensor1D): DecoderCache => reorderTexts(cache, rows),
  };
}

export type TextStack = ReturnType<typeof textStack>;

/** Dense, GELU, norm, and a product with the words' own matrix. */
function wordHead(
  D: number,
  vocabulary: number,
  {
    texts,
    tokens,
    normEpsilon,
  }: { readonly texts: number; readonly tokens: number; readonly normEpsilon: number },
): Layer<WordHeadParams<ParameterSpec, ParameterSpec>> {
  const words: Layer<ParameterSpec> = {
    specs: zeros([vocabulary]),
    describe: ({ path, uses }) => {
      const spoken = uses.reduce((sum, own) => sum + own.tokens, 0);
      return { sites: [], lines: [{ part: path, parameters: vocabulary, macs: spoken * D * vocabulary }] };
    },
  };
  const uses = Array.from({ length: texts }, () => ({ tokens }));
  return placed(
    { uses },
    together({ transform: linearLayer(D, D), norm: normLayer(D, normEpsilon), bias: words }),
  );
}
