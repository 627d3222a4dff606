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
import { type AccountLine, layerNormCost, linearCost, towerAccount } from '../account/account';
import { layerNorm } from '../operations/layer-norm';
import { linearOfConstant } from '../operations/linear';
import {
  type BlockParams,
  type LayerNormParams,
  block,
  blockSpecs,
  firstTokens,
  layerNormSpecs,
  linearSpecs,
} from '../transformer/block';
import { type ParameterSpec, normal, undecayed } from '../transformer/parameter';
import type { Perturb } from './perturbation';
import { type VisionTowerConfig, leadingTokens, patchGrid, tokenCount } from './vision-tower-config';

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
 * Pictures [B, S, S, C] → normalised last hidden states [B·R, D]: of each picture the first `read` tokens. The class
 * token is the first.
 */
export function visionStates(
  config: VisionTowerConfig,
  params: VisionTowerParams,
  images: Tensor4D,
  read = tokenCount(config),
  perturb?: Perturb,
): Tensor2D {
  const tokens = tokenCount(config);
  const reading = (x: Tensor2D) => (read === tokens ? x : firstTokens(x, tokens, read));
  const embedded = embed(config, params, images, perturb);
  const last = params.blocks.length - 1;
  const states = params.blocks.reduce(
    (x, layer, index) => block(layer, x, config.tower, tokens, index === last ? reading : undefined),
    embedded,
  );
  const { weight, bias } = params.norm;
  // Without blocks nothing has left the other tokens out.
  return layerNorm(last < 0 ? reading(states) : states, weight, bias, config.tower.normEpsilon);
}

/** Pictures [B, S, S, C] → [B·T, D]. */
function embed(
  config: VisionTowerConfig,
  params: VisionTowerParams,
  images: Tensor4D,
  perturb: Perturb = (_, embedding) => embedding,
): Tensor2D {
  const batch = images.shape[0];
  const tokens = tokenCount(config);
  const { embedDim: D, normEpsilon } = config.tower;
  const grid = patchGrid(config);
  const { weight, bias } = params.patchEmbedding;
  const patches = linearOfConstant(patchify(images, config.patchSize, grid), weight, bias); // [B·N, D]
  const leading = [params.classToken, ...(params.distillationToken ? [params.distillationToken] : [])];
  const sequence = concat<Tensor3D>(
    [
      ...leading.map((token) => add<Tensor3D>(zeroTensor([batch, 1, D]), token)),
      perturb('patches', reshape(patches, [batch, grid * grid, D])),
    ],
    1,
  ); // [B, T, D]
  const embedded: Tensor2D = reshape(add(sequence, params.positions), [batch * tokens, D]);
  if (params.embeddingNorm === undefined) return embedded;
  return layerNorm(embedded, params.embeddingNorm.weight, params.embeddingNorm.bias, normEpsilon);
}

/** [B, S, S, C] → [B·N, P·P·C]. */
function patchify(images: Tensor4D, patchSize: number, grid: number): Tensor2D {
  const [batch, , , channels] = images.shape;
  const rows = reshape(images, [batch, grid, patchSize, grid, patchSize * channels]);
  const patches = transpose(rows, [0, 1, 3, 2, 4]); // [B, grid, grid, P, P·C]
  return reshape(patches, [batch * grid * grid, patchSize * patchSize * channels]);
}

/**
 * Class and distillation tokens are spared from weight decay in every published recipe; positions decay in CLIP's
 * (open_clip, `exclude` in its main: what has fewer than two axes) and not in ViT's and DeiT's.
 */
export function visionTowerSpecs(config: VisionTowerConfig): VisionTowerParams<ParameterSpec, ParameterSpec> {
  const { patchSize, channels, distillation, embeddingNorm, patchBias, tower } = config;
  const { embedDim: D } = tower;
  const { weight, bias } = linearSpecs(patchSize * patchSize * channels, D);
  return {
    patchEmbedding: patchBias ? { weight, bias } : { weight },
    classToken: undecayed(normal([1, D], 0.02)),
    ...(distillation === 'none' ? {} : { distillationToken: undecayed(normal([1, D], 0.02)) }),
    positions: normal([tokenCount(config), D], 0.02),
    ...(embeddingNorm ? { embeddingNorm: layerNormSpecs(D) } : {}),
    blocks: tower.blocks.map((shape) => blockSpecs(tower, shape)),
    norm: layerNormSpecs(D),
  };
}

/**
 * What the tower costs, its parts under `prefix`. Published counters charge the last norm for what it is applied to:
 * all tokens in DeiT's code, the class token alone in CLIP's.
 */
export function visionTowerAccount(
  config: VisionTowerConfig,
  prefix = '',
  normalized = tokenCount(config),
): AccountLine[] {
  const { patchSize, channels, embeddingNorm, patchBias, tower } = config;
  const { embedDim: D } = tower;
  const tokens = tokenCount(config);
  const patch = linearCost(patchSize * patchSize * channels, D, patchGrid(config) ** 2);
  return [
    {
      part: `${prefix}patchEmbedding`,
      parameters: patch.parameters - (patchBias ? 0 : D),
      macs: patch.macs,
    },
    { part: `${prefix}tokens`, parameters: leadingTokens(config) * D, macs: 0 },
    { part: `${prefix}positions`, parameters: tokens * D, macs: 0 },
    ...(embeddingNorm ? [{ part: `${prefix}embeddingNorm`, ...layerNormCost(D, tokens) }] : []),
    ...towerAccount(tower, `${prefix}blocks`, tokens),
    { part: `${prefix}norm`, ...layerNormCost(D, normalized) },
  ];
}
