import { type Tensor1D, type Tensor2D, add, concat, mul, zerosLike } from '@tensorflow/tfjs-core';
import type { Activation } from '../operations/activation';
import { type AttentionLayer, type AttentionParams, type Remembered, attentionLayer } from './attention';
import { type BranchDrop, dropped } from './branch-drop';
import { type FfnParams, feedForwardLayer } from './feed-forward';
import { type Layer, type Use, placed, together } from './layer';
import { type LinearParams, linearLayer, project } from './linear';
import { type LayerNormParams, normLayer } from './norm';
import { type Observe, observeUnder } from './observe';
import type { ParameterSpec } from './parameter';
import { type Body, type ResidualOptions, residual } from './residual';

/** Columns of an attention in each head. */
export interface HeadWidths {
  /** The width of values, and of queries and keys unless they have fewer. */
  readonly headDim: number;
  readonly queryKeyDim?: number;
}

/** Sizes that may differ from layer to layer: a cut makes them smaller. */
export interface CrossBlockShape extends HeadWidths {
  readonly hiddenDim: number;
  /** One cross-attention, or two that look at a memory each. */
  readonly cross: readonly HeadWidths[];
}

export interface CrossBlockOptions extends ResidualOptions {
  /** D: width of the texts' tokens. */
  readonly embedDim: number;
  /** D′: width of the tokens that cross-attention looks at. */
  readonly memoryDim: number;
  readonly heads: number;
  /** Head dimension of the dense model, of which the attention scale is made. */
  readonly denseHeadDim: number;
  readonly activation: Activation;
  /** Two cross-attentions are merged by a linear map of both; without it their mean is taken. */
  readonly merges: boolean;
}

export type CrossBlockParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  attention: AttentionParams<Matrix, Vector>;
  attentionNorm: LayerNormParams<Vector>;
  cross?: AttentionParams<Matrix, Vector>;
  cross0?: AttentionParams<Matrix, Vector>;
  cross1?: AttentionParams<Matrix, Vector>;
  merge?: LinearParams<Matrix, Vector>; // [2·D, D]
  crossNorm: LayerNormParams<Vector>;
  ffn: FfnParams<Matrix, Vector>;
  ffnNorm: LayerNormParams<Vector>;
};

/** Tokens that texts look at: those of a picture, or of a question. Texts of one memory stand one after another. */
export interface Memory {
  readonly states: Tensor2D; // [B·T′, D′]
  /** T′: tokens per memory. */
  readonly tokens: number;
  /** [B, T′], 0 for padding; without it all tokens are looked at. */
  readonly counts?: Tensor2D | undefined;
}

/** The passage of texts through a block. */
export interface CrossPassage {
  /** N: tokens per text. */
  readonly tokens: number;
  /** A token sees only itself and earlier tokens of its text. */
  readonly causal: boolean;
  /** [M, N], 0 for padding. */
  readonly counts?: Tensor2D | undefined;
  /** One for each cross-attention of a block; none where texts are read by themselves. */
  readonly memories: readonly Memory[];
  readonly observe?: Observe | undefined;
  /** Leaves branches out of a training step; `height` is the share of the stack's blocks below. */
  readonly drop?: BranchDrop | undefined;
  readonly height: number;
}

/** Keys and values that a block has computed: of its text so far, and of each memory. */
export interface BlockCache {
  readonly own?: Remembered | undefined;
  readonly memories: readonly Remembered[];
}

/** A block of a text stack: tokens of a text look at each other, then at memories, then think for themselves. */
export interface CrossBlock extends Layer<CrossBlockParams<ParameterSpec, ParameterSpec>> {
  /** x [M·N, D] → [M·N, D]; cross-attention is left out where there are no memories. */
  run(params: CrossBlockParams, x: Tensor2D, passage: CrossPassage): Tensor2D;
  /** Computes all that the block needs of memories, before the first token of a text. */
  remember(params: CrossBlockParams, memories: readonly Memory[]): BlockCache;
  /** One more token of each text [M, D] → [M, D], and the cache with it; `append` joins keys and values. */
  advance(
    params: CrossBlockParams,
    x: Tensor2D,
    cache: BlockCache,
    append: (before: Remembered | undefined, now: Remembered) => Remembered,
  ): { readonly states: Tensor2D; readonly cache: BlockCache };
}

/** Keys of the cross-attentions in the record of a block. */
const crossKeys = (count: number) => (count === 1 ? (['cross'] as const) : (['cross0', 'cross1'] as const));

/**
 * A layer of BERT with cross-attention (Li et al., 2022, BLIP, Section 3.1; its code, `models/med.py`, and for two pictures
 * `models/nlvr_encoder.py`), without dropout. Norms stand after the layers as there, or before them.
 * @param cross How its cross-attention is used.
 */
export function crossBlock(
  options: CrossBlockOptions,
  shape: CrossBlockShape,
  cross: readonly Use[],
): CrossBlock {
  const {
    embedDim: D,
    memoryDim,
    heads,
    denseHeadDim,
    activation,
    merges,
    norm: place,
    normEpsilon,
  } = options;
  const { hiddenDim, cross: crossWidths, ...widths } = shape;
  const keys = crossKeys(crossWidths.length);
  const [first, second] = crossWidths;
  if (first === undefined || crossWidths.length > 2)
    throw new RangeError(`expected one cross-attention in a block, or two, got ${crossWidths.length}`);
  const scale = 1 / Math.sqrt(denseHeadDim);
  const placing: ResidualOptions = { norm: place, normEpsilon };
  const attention = attentionLayer({ embedDim: D, heads, scale, ...widths });
  const looking = (own: HeadWidths, index: number): AttentionLayer =>
    attentionLayer({
      ...{ embedDim: D, contextDim: memoryDim, heads, scale, ...own },
      widths: { headDim: `cross.${index}.headDim`, queryKeyDim: `cross.${index}.queryKeyDim` },
    });
  const crosses = crossWidths.map(looking);
  const ffn = feedForwardLayer({ embedDim: D, hiddenDim, activation });
  const norm = normLayer(D, normEpsilon);
  const crossUses = { uses: cross };
  const asked = { uses: cross.map(({ tokens }) => ({ tokens })) };
  const layer = together({
    attention,
    attentionNorm: norm,
    ...(second === undefined
      ? { cross: placed(crossUses, looking(first, 0)) }
      : {
          cross0: placed(crossUses, looking(first, 0)),
          cross1: placed(crossUses, looking(second, 1)),
          ...(merges ? { merge: placed(asked, linearLayer(2 * D, D)) } : {}),
        }),
    crossNorm: placed(asked, norm),
    ffn,
    ffnNorm: norm,
  });

  const crossParams = (params: CrossBlockParams): AttentionParams[] =>
    keys.map((key) => {
      const own = params[key];
      if (own === undefined) throw new RangeError(`the block has no parameters for ${key}`);
      return own;
    });
  /** Merges the sights of each memory, [M·N, D] each → one, [M·N, D]. */
  const mergeSeen = (params: CrossBlockParams, seen: readonly Tensor2D[], observe?: Observe): Tensor2D => {
    const [one, other] = seen;
    if (one === undefined) throw new RangeError('expected something to look at');
    if (other === undefined) return one;
    if (params.merge === undefined) return mul(add(one, other), 0.5);
    return project(concat<Tensor2D>([one, other], 1), params.merge, 'merge', observe);
  };
  const checkMemories = (count: number): void => {
    if (count === keys.length) return;
    throw new RangeError(`expected ${keys.length} memories, one for each cross-attention, got ${count}`);
  };

  return {
    ...layer,
    run: (params, x, { tokens, causal, counts, memories, observe, drop, height }) => {
      const batch = x.shape[0] / tokens;
      const under = (key: string) => observeUnder(observe, key);
      const branch = (states: Tensor2D, name: 'attention' | 'cross' | 'ffn', body: Body): Tensor2D =>
        residual(states, params[`${name}Norm`], weakened(body, drop?.(name, height, batch)), placing);
      const looks = { tokens, causal, counts, observe: under('attention') };
      const own = branch(x, 'attention', attention.body(params.attention, looks));
      if (memories.length > 0) checkMemories(memories.length);
      const look = (states: Tensor2D): Tensor2D =>
        mergeSeen(
          params,
          crossParams(params).flatMap((each, index) => {
            const [memory, by] = [memories[index], crosses[index]];
            if (memory === undefined || by === undefined) return [];
            const askers = (states.shape[0] * memory.tokens) / memory.states.shape[0];
            const asking = { tokens: askers, context: memory, counts: memory.counts };
            return [by.body(each, { ...asking, observe: under(keys[index] ?? '') }).compute(states)];
          }),
          observe,
        );
      const seen = memories.length === 0 ? own : branch(own, 'cross', { compute: look });
      return branch(seen, 'ffn', ffn.body(params.ffn, under('ffn')));
    },
    remember: (params, memories) => {
      checkMemories(memories.length);
      return {
        memories: crossParams(params).flatMap((own, index) => {
          const [memory, by] = [memories[index], crosses[index]];
          if (memory === undefined || by === undefined) return [];
          return [{ ...by.remember(own, memory.states, memory.tokens), counts: memory.counts }];
        }),
      };
    },
    advance: (params, x, { own: before, memories }, append) => {
      let own = before;
      const listen = (states: Tensor2D): Tensor2D => {
        own = append(before, attention.remember(params.attention, states, 1));
        return attention.recall(params.attention, states, own);
      };
      const look = (states: Tensor2D): Tensor2D =>
        mergeSeen(
          params,
          crossParams(params).flatMap((each, index) => {
            const [memory, by] = [memories[index], crosses[index]];
            return memory === undefined || by === undefined ? [] : [by.recall(each, states, memory)];
          }),
        );
      const heard = residual(x, params.attentionNorm, { compute: listen }, placing);
      const seen = residual(heard, params.crossNorm, { compute: look }, placing);
      const states = residual(seen, params.ffnNorm, ffn.body(params.ffn), placing);
      return { states, cache: { own, memories } };
    },
  };
}

/** The same layer, of which each example gets a share, [B, 1]. */
function weakened(body: Body, factors: Tensor2D | undefined): Body {
  if (factors === undefined) return body;
  return {
    compute: (x) => {
      const y = body.compute(x);
      return dropped(zerosLike(y), y, factors);
    },
  };
}
