import { type Tensor1D, type Tensor2D, type Tensor3D, reshape, slice, tidy } from '@tensorflow/tfjs-core';
import { isDifferentiating } from '../operations/kernel';
import type { Activation } from '../operations/activation';
import { type AttentionParams, attentionLayer, blockWidths } from './attention';
import { type FfnParams, feedForwardLayer } from './feed-forward';
import { type BranchDrop, dropUnder, dropped } from './branch-drop';
import { type Layer, bare, beneath, stack, together, usedBy } from './layer';
import { type LayerNormParams, normLayer } from './norm';
import { type ParameterSpec, constant } from './parameter';
import { type Enter, type Observe, beforeOf, observeUnder, resultOf } from './observe';
import { residual } from './residual';
import {
  type CountedStates,
  type Merge,
  type MergedTower,
  mergeTokens,
  mergeUnder,
  tokensLeft,
} from './token-merging';

export type BlockParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  attentionNorm: LayerNormParams<Vector>;
  attention: AttentionParams<Matrix, Vector>;
  attentionScale?: Vector; // [D]
  ffnNorm: LayerNormParams<Vector>;
  ffn: FfnParams<Matrix, Vector>;
  ffnScale?: Vector; // [D]
};

/** Sizes that may differ from layer to layer: a cut makes `headDim` and `hiddenDim` smaller. */
export interface BlockShape {
  /** H of this layer, where it is not the tower's. */
  readonly heads?: number;
  /** Columns of the values in each head, and of queries and keys unless they have fewer. */
  readonly headDim: number;
  /** Columns of queries and keys in each head, where some were pruned: those of the fullest head. */
  readonly queryKeyDim?: number;
  readonly hiddenDim: number;
}

/** A stack of pre-norm blocks of one width. */
export interface TowerConfig {
  /** D: width of the residual stream. */
  readonly embedDim: number;
  /** H. */
  readonly heads: number;
  /** Head dimension of the dense model; the attention scale stays 1/√denseHeadDim after a cut. */
  readonly denseHeadDim: number;
  readonly activation: Activation;
  readonly causal: boolean;
  readonly normEpsilon: number;
  /** Without it queries, keys and values have a bias. */
  readonly inputBias?: false;
  /** Layer scale (Touvron et al., 2021, CaiT, Section 3.1) begins at this value; without it there is none. */
  readonly layerScale?: number;
  readonly blocks: readonly BlockShape[];
}

type BlockSpecs = BlockParams<ParameterSpec, ParameterSpec>;

/** The passage of tokens through a tower. */
export interface Passage {
  /** T: tokens per sequence. */
  readonly tokens: number;
  /** As how many tokens each of them is looked at, [B, T]: 0 for padding; without it each is one. */
  readonly counts?: Tensor2D | undefined;
  /** T′: tokens per sequence that the feed-forward network sees, where some are merged before it. */
  readonly left?: number;
  /**
   * Picks the N tokens that are read afterwards, all by default. The others end with the last attention, as the
   * feed-forward network sees every token for itself.
   */
  readonly read?: (x: Tensor2D) => Tensor2D;
  /** Sees what passes taps, by paths that begin with the number of the block. */
  readonly observe?: Observe | undefined;
  /** Begins blocks with other states, or leaves them out, by their numbers. */
  readonly enter?: Enter | undefined;
  /** Says where tokens go when they merge, by paths that begin with the number of the block. */
  readonly merge?: Merge | undefined;
  /** Leaves branches out of a training step; names them by the number of the block. */
  readonly drop?: BranchDrop | undefined;
}

/** The blocks of a tower, one after another. */
export interface Tower extends Layer<BlockSpecs[]> {
  /** x [B·T, D] → [N, D]; and as how many tokens each counts, where some were merged. */
  run(params: readonly BlockParams[], x: Tensor2D, passage: Omit<Passage, 'left'>): CountedStates;
  /** Tokens of a sequence of T that are left at the end. */
  left(tokens: number): number;
}

export function tower(config: TowerConfig, merged?: MergedTower): Tower {
  const { length } = config.blocks;
  /** Tokens that each block begins with, and those that are left at the end. */
  const passing = (tokens: number): readonly number[] =>
    merged === undefined
      ? Array.from({ length: length + 1 }, () => tokens)
      : [tokens, ...tokensLeft(merged.merging, { blocks: length, tokens, leading: merged.leading })];
  const blocks = config.blocks.map((shape, index) =>
    preNormBlock(config, shape, {
      height: index / Math.max(1, length - 1),
      leading: merged?.leading ?? 0,
      isProportional: merged?.merging.proportional ?? true,
      before: (tokens) => passing(tokens)[index] ?? tokens,
      after: (tokens) => passing(tokens)[index + 1] ?? tokens,
    }),
  );
  const last = blocks.length - 1;
  return {
    ...stack(
      blocks.map((block, index) => beneath(blocks.length - index, block)),
      'blocks',
      { isResidual: true },
    ),
    left: (tokens) => passing(tokens)[length] ?? tokens,
    run: (params, x, { tokens: all, counts, read, observe, enter, merge, drop }) => {
      if (last < 0) return { states: read?.(x) ?? x }; // Without blocks nothing has left the other tokens out.
      const passed = passing(all);
      return blocks.reduce<CountedStates>(
        (below, block, index) => {
          const own = params[index];
          if (own === undefined) throw new RangeError(`the tower has no parameters for block ${index}`);
          const name = String(index);
          const [tokens = all, left = tokens] = passed.slice(index);
          const states = enter === undefined ? below.states : enter(name, below.states);
          if (states === undefined) {
            return index === last && read !== undefined ? { states: read(below.states) } : below;
          }
          observe?.(name, states, { tokens });
          observe?.(beforeOf(name), index === last && read !== undefined ? read(states) : states);
          const run = () =>
            block.run(own, states, {
              tokens,
              left,
              counts: below.counts,
              ...(index === last && read !== undefined ? { read } : {}),
              observe: observeUnder(observe, name),
              merge: mergeUnder(merge, name),
              drop: dropUnder(drop, name),
            });
          // Step by step a block makes much that nobody needs after it.
          const after = observe === undefined || isDifferentiating() ? run() : tidied(run);
          observe?.(resultOf(name), after.states);
          return after;
        },
        { states: x, counts },
      );
    },
  };
}

/** The same, of which nothing else is left. */
function tidied(run: () => CountedStates): CountedStates {
  const kept = tidy(() => {
    const { states, counts } = run();
    return { states, ...(counts === undefined ? {} : { counts }) };
  });
  return kept;
}

interface Block extends Layer<BlockSpecs> {
  run(params: BlockParams, x: Tensor2D, passage: Passage): CountedStates;
}

/** Where a block stands, and how many tokens of each sequence come to it and leave it. */
interface BlockPlace {
  /** The share of its tower's blocks that it stands above. */
  readonly height: number;
  readonly leading: number;
  readonly isProportional: boolean;
  before(tokens: number): number;
  after(tokens: number): number;
}

/** x + attention(norm x), then + ffn(norm of that) (Dosovitskiy et al., 2021, Eq. 2, 3). */
function preNormBlock(config: TowerConfig, shape: BlockShape, place: BlockPlace): Block {
  const { embedDim, denseHeadDim, activation, causal, normEpsilon, inputBias = true, layerScale } = config;
  const { hiddenDim, ...widths } = shape;
  const heads = shape.heads ?? config.heads;
  const scale = 1 / Math.sqrt(denseHeadDim);
  const norm = normLayer(embedDim, normEpsilon);
  const attention = attentionLayer({ embedDim, scale, inputBias, ...widths, heads, widths: blockWidths });
  const ffn = feedForwardLayer({ embedDim, hiddenDim, activation });
  const layerScaled = layerScale === undefined ? undefined : bare(constant([embedDim], layerScale));
  const { height, leading, isProportional, before, after } = place;
  return {
    ...together({
      attentionNorm: usedBy(before, norm),
      attention: usedBy(before, attention),
      ...(layerScaled === undefined ? {} : { attentionScale: layerScaled }),
      ffnNorm: usedBy(after, norm),
      ffn: usedBy(after, ffn),
      ...(layerScaled === undefined ? {} : { ffnScale: layerScaled }),
    }),
    run: (params, x, { tokens, counts, left = tokens, read, observe, merge, drop }) => {
      const batch = x.shape[0] / tokens;
      const looking = { tokens, causal, observe: observeUnder(observe, 'attention') };
      const body = attention.body(params.attention, isProportional ? { ...looking, counts } : looking);
      const placed = { norm: 'before', normEpsilon } as const;
      const attended = residual(x, params.attentionNorm, body, placed, params.attentionScale);
      const heard = dropped(x, attended, drop?.('attention', height, batch)); // [B·T, D]
      const { states, counts: counted } =
        left === tokens || read !== undefined // Those that are read are not merged, and the others end here.
          ? { states: read?.(heard) ?? heard, counts }
          : mergeTokens({ states: heard, counts }, x, params.attentionNorm, params.attention.key, {
              ...{ tokens, left, leading, heads, normEpsilon, observe, merge },
            });
      const network = ffn.body(params.ffn, observeUnder(observe, 'ffn'));
      const told = residual(states, params.ffnNorm, network, placed, params.ffnScale);
      return { states: dropped(states, told, drop?.('ffn', height, batch)), counts: counted };
    },
  };
}

/** [B·T, D] → [B·R, D]: the first `count` tokens of each sequence. */
export function firstTokens(x: Tensor2D, tokens: number, count: number): Tensor2D {
  const [rows, D] = x.shape;
  const batch = rows / tokens;
  const perSequence: Tensor3D = reshape(x, [batch, tokens, D]);
  return reshape(slice(perSequence, [0, 0, 0], [batch, count, D]), [batch * count, D]);
}

/** [B·T, D] → [B·R, D]: the last `count` tokens of each sequence. */
export function lastTokens(x: Tensor2D, tokens: number, count: number): Tensor2D {
  if (count === tokens) return x;
  const [rows, D] = x.shape;
  const batch = rows / tokens;
  const perSequence: Tensor3D = reshape(x, [batch, tokens, D]);
  return reshape(slice(perSequence, [0, tokens - count, 0], [batch, count, D]), [batch * count, D]);
}
