import {
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  add,
  concat,
  reshape,
  transpose,
  zeros as zeroTensor,
} from '@tensorflow/tfjs-core';
import { bare, placed, together } from '../layers/layer';
import { optionalBias } from '../layers/linear';
import { type LayerNormParams, normLayer, normalize } from '../layers/norm';
import { observeUnder } from '../layers/observe';
import { normal, undecayed } from '../layers/parameter';
import { type BlockParams, firstTokens, tower } from '../layers/tower';
import { linearOfConstant } from '../operations/linear';
import type { Hooks } from './hooks';
import { type VisionTowerConfig, patchGrid, tokenCount } from './vision-tower-config';

export type VisionTowerParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  patchEmbedding: { weight: Matrix; bias?: Vector }; // [P·P·C, D], pixels of a patch in row, column, channel order
  classToken: Matrix; // [1, D]
  distillationToken?: Matrix; // [1, D]
  positions: Matrix; // [T, D]
  embeddingNorm?: LayerNormParams<Vector>;
  blocks: BlockParams<Matrix, Vector>[];
  norm: LayerNormParams<Vector>;
};

/**
 * A vision transformer up to its last hidden states. Class and distillation tokens are spared from weight decay in every
 * published recipe; positions decay in CLIP's (open_clip, `exclude` in its main: what has fewer than two axes) and not in
 * ViT's and DeiT's.
 * @param normalized Tokens that the last norm is charged for. Published counters charge it for what it is applied to: all
 * tokens in DeiT's code, the class token alone in CLIP's.
 */
export function visionTower(config: VisionTowerConfig, normalized = tokenCount(config)) {
  const { patchSize, channels, distillation, embeddingNorm, patchBias } = config;
  const { embedDim: D, normEpsilon } = config.tower;
  const grid = patchGrid(config);
  const tokens = tokenCount(config);
  const every = { uses: [{ tokens }] };
  const blocks = tower(config.tower);
  const norm = normLayer(D, normEpsilon);
  const patchEmbedding = optionalBias(patchSize * patchSize * channels, D, patchBias);
  const parts = {
    patchEmbedding: placed({ uses: [{ tokens: grid * grid }] }, patchEmbedding),
    classToken: bare(undecayed(normal([1, D], 0.02))),
    ...(distillation === 'none' ? {} : { distillationToken: bare(undecayed(normal([1, D], 0.02))) }),
    positions: bare(normal([tokens, D], 0.02)),
    ...(embeddingNorm ? { embeddingNorm: placed(every, norm) } : {}),
    blocks: placed({ ...every, config: 'tower' }, blocks),
    norm: placed({ uses: [{ tokens: normalized }] }, norm),
  };

  /** Pictures [B, S, S, C] → [B·T, D]. */
  const embed = (params: VisionTowerParams, images: Tensor4D, { perturb, observe }: Hooks): Tensor2D => {
    const batch = images.shape[0];
    const { weight, bias } = params.patchEmbedding;
    const pixels = patchify(images, patchSize, grid);
    observe?.('patchEmbedding', pixels);
    const patches: Tensor3D = reshape(linearOfConstant(pixels, weight, bias), [batch, grid * grid, D]);
    const leading = [params.classToken, ...(params.distillationToken ? [params.distillationToken] : [])];
    const sequence = concat<Tensor3D>(
      [
        ...leading.map((token) => add<Tensor3D>(zeroTensor([batch, 1, D]), token)),
        perturb === undefined ? patches : perturb('patches', patches),
      ],
      1,
    ); // [B, T, D]
    const embedded: Tensor2D = reshape(add(sequence, params.positions), [batch * tokens, D]);
    return params.embeddingNorm === undefined
      ? embedded
      : normalize(embedded, params.embeddingNorm, normEpsilon);
  };

  return {
    parts,
    layer: together(parts),
    /**
     * Pictures [B, S, S, C] → normalised last hidden states [B·R, D]: of each picture the first `read` tokens, all by
     * default. The class token is the first.
     */
    states: (params: VisionTowerParams, images: Tensor4D, hooks: Hooks = {}, read = tokens): Tensor2D => {
      const states = blocks.run(params.blocks, embed(params, images, hooks), {
        tokens,
        ...(read === tokens ? {} : { read: (x: Tensor2D) => firstTokens(x, tokens, read) }),
        observe: observeUnder(hooks.observe, 'blocks'),
      });
      return normalize(states, params.norm, normEpsilon);
    },
  };
}

/** [B, S, S, C] → [B·N, P·P·C]. */
function patchify(images: Tensor4D, patchSize: number, grid: number): Tensor2D {
  const [batch, , , channels] = images.shape;
  const rows = reshape(images, [batch, grid, patchSize, grid, patchSize * channels]);
  const patches = transpose(rows, [0, 1, 3, 2, 4]); // [B, grid, grid, P, P·C]
  return reshape(patches, [batch * grid * grid, patchSize * patchSize * channels]);
}
