import {
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  add,
  concat,
  reshape,
  slice,
  transpose,
  zeros as zeroTensor,
} from '@tensorflow/tfjs-core';
import { type AttentionPoolParams, attentionPool } from '../layers/attention-pool';
import { dropUnder } from '../layers/branch-drop';
import { type Layer, bare, beneath, placed, together } from '../layers/layer';
import { optionalBias } from '../layers/linear';
import { type LayerNormParams, normLayer, normalize } from '../layers/norm';
import { enterUnder, observeUnder } from '../layers/observe';
import { type ParameterSpec, normal, undecayed } from '../layers/parameter';
import { type CountedStates, mergeUnder } from '../layers/token-merging';
import { type BlockParams, firstTokens, tower } from '../layers/tower';
import { linearOfConstant } from '../operations/linear';
import type { Tree } from '../tree/tree';
import type { Grid } from './bicubic';
import type { Hooks } from './hooks';
import {
  type VisionTowerConfig,
  causalMerging,
  leadingTokens,
  mergesFreely,
  patchGrid,
  positionedTokens,
  tokenCount,
} from './vision-tower-config';

export type VisionTowerParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  patchEmbedding: { weight: Matrix; bias?: Vector }; // [P·P·C, D], pixels of a patch in row, column, channel order
  classToken?: Matrix; // [1, D]
  distillationToken?: Matrix; // [1, D]
  registers?: Matrix; // [R, D]
  positions: Matrix; // [T, D], less the tokens that have none
  embeddingNorm?: LayerNormParams<Vector>;
  blocks: BlockParams<Matrix, Vector>[];
  norm: LayerNormParams<Vector>;
  attentionPool?: AttentionPoolParams<Matrix, Vector>;
};

/**
 * A vision transformer up to its last hidden states. Class and distillation tokens are spared from weight decay in every
 * published recipe; positions decay in CLIP's (open_clip, `exclude` in its main: what has fewer than two axes) and not in
 * ViT's and DeiT's.
 * @param normed Tokens that the last norm is charged for, where nothing is pooled behind it; by default all that are left.
 * Published counters charge it for what it is applied to: all tokens in DeiT's code, the class token alone in CLIP's.
 * @throws {RangeError} when it merges tokens that look back alone.
 */
export function visionTower(config: VisionTowerConfig, normed?: number) {
  const { patchSize, channels, distillation, embeddingNorm, patchBias, registers } = config;
  const { embedDim: D, normEpsilon } = config.tower;
  const grid = patchGrid(config);
  const patches = grid[0] * grid[1];
  const tokens = tokenCount(config);
  const positioned = positionedTokens(config);
  const every = { uses: [{ tokens }] };
  if (!mergesFreely(config)) throw new RangeError(causalMerging.message);
  const leading = leadingTokens(config);
  const blocks = tower(
    config.tower,
    config.merging === undefined ? undefined : { merging: config.merging, leading },
  );
  const left = blocks.left(tokens);
  const norm = normLayer(D, normEpsilon);
  const pool =
    config.attentionPool === undefined ? undefined : attentionPool(config.tower, config.attentionPool, left);
  const poolPlace = { config: 'attentionPool', block: config.tower.blocks.length };
  const patchEmbedding = optionalBias(patchSize * patchSize * channels, D, patchBias);
  const first = <Specs extends Tree<ParameterSpec>>(layer: Layer<Specs>): Layer<Specs> =>
    beneath(config.tower.blocks.length + 1, layer);
  const token = (count: number) => first(bare(undecayed(normal([count, D], 0.02))));
  const parts = {
    patchEmbedding: first(placed({ uses: [{ tokens: patches }] }, patchEmbedding)),
    ...(config.classToken === false ? {} : { classToken: token(1) }),
    ...(distillation === 'none' ? {} : { distillationToken: token(1) }),
    ...(registers === undefined ? {} : { registers: token(registers) }),
    positions: first(bare(normal([patches + positioned, D], 0.02))),
    ...(embeddingNorm ? { embeddingNorm: first(placed(every, norm)) } : {}),
    blocks: placed({ ...every, config: 'tower' }, blocks),
    norm: placed({ uses: [{ tokens: pool === undefined ? (normed ?? left) : left }] }, norm),
    ...(pool === undefined ? {} : { attentionPool: placed(poolPlace, pool) }),
  };

  /** Pictures [B, H, W, C] → [B·T, D]. */
  const embed = (params: VisionTowerParams, images: Tensor4D, { perturb, observe }: Hooks): Tensor2D => {
    const batch = images.shape[0];
    const { weight, bias } = params.patchEmbedding;
    const pixels = patchify(images, patchSize, grid);
    observe?.('patchEmbedding', pixels);
    const embedded: Tensor3D = reshape(linearOfConstant(pixels, weight, bias), [batch, patches, D]);
    const whole = [params.classToken, params.distillationToken];
    const own = config.positioned === undefined ? [...whole, params.registers] : whole;
    const bound = config.positioned === 'patches' ? [] : own;
    const free = [...whole, params.registers].filter((token) => !bound.includes(token));
    const repeated = (rows: (Tensor2D | undefined)[]): Tensor3D[] =>
      rows.flatMap((row) => (row === undefined ? [] : [add(zeroTensor([batch, row.shape[0], D]), row)]));
    const seen = perturb === undefined ? embedded : perturb('patches', embedded);
    const placed = add<Tensor3D>(concat([...repeated(bound), seen], 1), params.positions); // [B, positions, D]
    const sequence = insert(placed, positioned, repeated(free)); // [B, T, D]
    const flat: Tensor2D = reshape(sequence, [batch * tokens, D]);
    return params.embeddingNorm === undefined ? flat : normalize(flat, params.embeddingNorm, normEpsilon);
  };

  /** Pictures [B, H, W, C] → last hidden states before the last norm, [B·R, D], of the first `read` tokens, all by default. */
  const run = (
    params: VisionTowerParams,
    images: Tensor4D,
    hooks: Hooks = {},
    read?: number,
  ): CountedStates => {
    const enter = enterUnder(hooks.enter, 'blocks');
    const first = enter?.begins?.states ?? embed(params, images, hooks);
    return blocks.run(params.blocks, first, {
      tokens,
      ...(read === undefined
        ? {}
        : { read: (x: Tensor2D) => firstTokens(x, x.shape[0] / images.shape[0], read) }),
      observe: observeUnder(hooks.observe, 'blocks'),
      enter,
      merge: mergeUnder(hooks.merge, 'blocks'),
      drop: dropUnder(hooks.drop, 'vision'),
    });
  };
  const normalized = (params: VisionTowerParams, states: Tensor2D): Tensor2D =>
    normalize(states, params.norm, normEpsilon);

  const states = (
    params: VisionTowerParams,
    images: Tensor4D,
    hooks: Hooks = {},
    read?: number,
  ): CountedStates => {
    const passed = run(params, images, hooks, read);
    return { ...passed, states: normalized(params, passed.states) };
  };

  return {
    parts,
    /** Pictures [B, H, W, C] → the embedded tokens with their positions, [B·T, D]. */
    embed,
    layer: together(parts),
    /** Tokens of a picture that are left at the end. */
    left,
    run,
    /** The last norm of states [N, D]. */
    normalized,
    /**
     * Pictures [B, H, W, C] → normalised last hidden states [B·R, D]: of each picture the first `read` tokens, all by
     * default. Leading tokens are the first, also where others are merged.
     */
    states,
    /** Pictures [B, H, W, C] → one state of each, [B, D]: the pooled ones, or the class token's. */
    pictureStates: (params: VisionTowerParams, images: Tensor4D, hooks: Hooks = {}): Tensor2D =>
      pool === undefined || params.attentionPool === undefined
        ? states(params, images, hooks, 1).states
        : pool.run(
            params.attentionPool,
            states(params, images, hooks),
            observeUnder(hooks.observe, 'attentionPool'),
          ),
  };
}

/** Puts tokens that have no position behind the first `index` of a sequence [B, T′, D] → [B, T, D]. */
function insert(sequence: Tensor3D, index: number, tokens: readonly Tensor3D[]): Tensor3D {
  if (tokens.length === 0) return sequence;
  if (index === 0) return concat([...tokens, sequence], 1);
  const [batch, length, D] = sequence.shape;
  const before: Tensor3D = slice(sequence, [0, 0, 0], [batch, index, D]);
  const after: Tensor3D = slice(sequence, [0, index, 0], [batch, length - index, D]);
  return concat([before, ...tokens, after], 1);
}

/** [B, H, W, C] → [B·N, P·P·C]. */
function patchify(images: Tensor4D, patchSize: number, [rows, columns]: Grid): Tensor2D {
  const [batch, , , channels] = images.shape;
  const bands = reshape(images, [batch, rows, patchSize, columns, patchSize * channels]);
  const patches = transpose(bands, [0, 1, 3, 2, 4]); // [B, rows, columns, P, P·C]
  return reshape(patches, [batch * rows * columns, patchSize * patchSize * channels]);
}
