import { type Tensor1D, type Tensor2D, type Tensor3D, reshape, slice, tidy } from '@tensorflow/tfjs-core';
import { isDifferentiating } from '../operations/kernel';
import type { Activation } from '../operations/activation';
import { type AttentionParams, attentionLayer } from './attention';
import { type FfnParams, feedForwardLayer } from './feed-forward';
import { type BranchDrop, dropUnder, dropped } from './branch-drop';
import { type Layer, bare, beneath, stack, together } from './layer';
import { type LayerNormParams, normLayer } from './norm';
import { type ParameterSpec, constant } from './parameter';
import { type Enter, type Observe, observeUnder, resultOf } from './observe';
import { residual } from './residual';

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

/** How tokens go through a tower. */
export interface Passage {
  /** T: tokens per sequence. */
  readonly tokens: number;
  /**
   * Picks the N tokens that are read afterwards, all by default. The others end with the last attention, as the
   * feed-forward network sees every token for itself.
   */
  readonly read?: (x: Tensor2D) => Tensor2D;
  /** [B, T], 1 where a token may be looked at and 0 where it may not; without it all may. */
  readonly visible?: Tensor2D | undefined;
  /** Sees what passes taps, by paths that begin with the number of the block. */
  readonly observe?: Observe | undefined;
  /** Begins blocks with other states, or leaves them out, by their numbers. */
  readonly enter?: Enter | undefined;
  /** Leaves branches out of a training step; names them by the number of the block. */
  readonly drop?: BranchDrop | undefined;
}

/** The blocks of a tower, one after another. */
export interface Tower extends Layer<BlockSpecs[]> {
  /** x [B·T, D] → [N, D]. */
  run(params: readonly BlockParams[], x: Tensor2D, passage: Passage): Tensor2D;
}

export function tower(config: TowerConfig): Tower {
  const { length } = config.blocks;
  const blocks = config.blocks.map((shape, index) =>
    preNormBlock(config, shape, index / Math.max(1, length - 1)),
  );
  const last = blocks.length - 1;
  return {
    ...stack(
      blocks.map((block, index) => beneath(blocks.length - index, block)),
      'blocks',
    ),
    run: (params, x, { tokens, read = (all) => all, visible, observe, enter, drop }) =>
      last < 0
        ? read(x) // Without blocks nothing has left the other tokens out.
        : blocks.reduce((below, block, index) => {
            const own = params[index];
            if (own === undefined) throw new RangeError(`the tower has no parameters for block ${index}`);
            const name = String(index);
            const states = enter === undefined ? below : enter(name, below);
            if (states === undefined) return index === last ? read(below) : below;
            observe?.(name, states, { tokens });
            const run = () =>
              block.run(own, states, {
                tokens,
                visible,
                ...(index === last ? { read } : {}),
                observe: observeUnder(observe, name),
                drop: dropUnder(drop, name),
              });
            // Step by step a block makes much that nobody needs after it.
            const after = observe === undefined || isDifferentiating() ? run() : tidy(run);
            observe?.(resultOf(name), after);
            return after;
          }, x),
  };
}

interface Block extends Layer<BlockSpecs> {
  run(params: BlockParams, x: Tensor2D, passage: Passage): Tensor2D;
}

/** x + attention(norm x), then + ffn(norm of that) (Dosovitskiy et al., 2021, Eq. 2, 3). */
function preNormBlock(config: TowerConfig, shape: BlockShape, height: number): Block {
  const { embedDim, denseHeadDim, activation, causal, normEpsilon, inputBias = true, layerScale } = config;
  const { hiddenDim, ...attended } = shape;
  const scale = 1 / Math.sqrt(denseHeadDim);
  const norm = normLayer(embedDim, normEpsilon);
  const attention = attentionLayer({ embedDim, heads: config.heads, scale, inputBias, ...attended });
  const ffn = feedForwardLayer({ embedDim, hiddenDim, activation });
  const layerScaled = layerScale === undefined ? undefined : bare(constant([embedDim], layerScale));
  return {
    ...together({
      attentionNorm: norm,
      attention,
      ...(layerScaled === undefined ? {} : { attentionScale: layerScaled }),
      ffnNorm: norm,
      ffn,
      ...(layerScaled === undefined ? {} : { ffnScale: layerScaled }),
    }),
    run: (params, x, { tokens, read = (all) => all, visible, observe, drop }) => {
      const batch = x.shape[0] / tokens;
      const looking = {
        tokens,
        causal,
        ...(visible === undefined ? {} : { visible }),
        observe: observeUnder(observe, 'attention'),
      };
      const body = attention.body(params.attention, looking);
      const placed = { norm: 'before', normEpsilon } as const;
      const attended = residual(x, params.attentionNorm, body, placed, params.attentionScale);
      const seen = read(dropped(x, attended, drop?.('attention', height, batch))); // [B·R, D]
      const network = ffn.body(params.ffn, observeUnder(observe, 'ffn'));
      const told = residual(seen, params.ffnNorm, network, placed, params.ffnScale);
      return dropped(seen, told, drop?.('ffn', height, batch));
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
