import {
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  add,
  concat,
  mul,
  reshape,
  slice,
  transpose,
  zeros as zeroTensor,
} from '@tensorflow/tfjs-core';
import { type AccountLine, accountOf, layerNormCost, linearCost, towerAccount } from '../account/account';
import { type Decision, keptUnits } from '../decision/decision';
import { layerNorm } from '../operations/layer-norm';
import { linear, linearOfConstant } from '../operations/linear';
import { type Site, towerSites } from '../sites/site';
import {
  type BlockParams,
  type LayerNormParams,
  type LinearParams,
  block,
  blockSpecs,
  firstTokens,
  layerNormSpecs,
  linearSpecs,
} from '../transformer/block';
import { type ParameterSpec, normal, zeros } from '../transformer/parameter';
import type { Model } from './model';
import {
  type VisionTransformerConfig,
  leadingTokens,
  patchGrid,
  tokenCount,
} from './vision-transformer-config';

export type VisionTransformerParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  patchEmbedding: LinearParams<Matrix, Vector>; // [P·P·C, D], pixels of a patch in row, column, channel order
  classToken: Matrix; // [1, D]
  distillationToken?: Matrix; // [1, D]
  positions: Matrix; // [T, D]
  blocks: BlockParams<Matrix, Vector>[];
  norm: LayerNormParams<Vector>;
  head: LinearParams<Matrix, Vector>; // [D, K]
  distillationHead?: LinearParams<Matrix, Vector>; // [D, K]
};

/** Pictures [B, S, S, C]. */
export interface ImageInputs {
  readonly images: Tensor4D;
}

export interface VisionTransformer extends Model<VisionTransformerParams, ImageInputs> {
  readonly config: VisionTransformerConfig;
  readonly specs: VisionTransformerParams<ParameterSpec, ParameterSpec>;
  /** The normalised last hidden states, [B, T, D]. */
  features(params: VisionTransformerParams, inputs: ImageInputs): Tensor3D;
  shrink(decision: Decision): VisionTransformer;
}

/** DeiT / ViT: a pre-norm transformer over patches, classifying by the class token (Touvron et al., 2021). */
export function visionTransformer(config: VisionTransformerConfig): VisionTransformer {
  const { tower } = config;
  const tokens = tokenCount(config);
  const sites = towerSites(tower, { tower: 'vision', path: 'blocks', tokens });
  return {
    config,
    specs: visionTransformerSpecs(config),
    sites,
    account: accountOf(visionTransformerAccount(config)),
    forward: (params, { images }) => {
      const read = leadingTokens(config);
      return classify(config, params, hiddenStates(config, params, images, read));
    },
    features: (params, { images }) => {
      const batch = images.shape[0];
      const { weight, bias } = params.norm;
      const normalized = layerNorm(hiddenStates(config, params, images), weight, bias, tower.normEpsilon);
      return reshape(normalized, [batch, tokens, tower.embedDim]);
    },
    shrink: (decision) =>
      visionTransformer({ ...config, tower: { ...tower, blocks: shrunkBlocks(sites, decision) } }),
  };
}

/** Pictures [B, S, S, C] → residual stream after the last block, [B·R, D]: of each picture the first `read` tokens. */
function hiddenStates(
  config: VisionTransformerConfig,
  params: VisionTransformerParams,
  images: Tensor4D,
  read = tokenCount(config),
): Tensor2D {
  const batch = images.shape[0];
  const tokens = tokenCount(config);
  const { embedDim: D } = config.tower;
  const grid = patchGrid(config);

  const { weight, bias } = params.patchEmbedding;
  const patches = linearOfConstant(patchify(images, config.patchSize, grid), weight, bias); // [B·N, D]
  const leading = [params.classToken, ...(params.distillationToken ? [params.distillationToken] : [])];
  const sequence = concat<Tensor3D>(
    [
      ...leading.map((token) => add<Tensor3D>(zeroTensor([batch, 1, D]), token)),
      reshape(patches, [batch, grid * grid, D]),
    ],
    1,
  ); // [B, T, D]
  const embedded: Tensor2D = reshape(add(sequence, params.positions), [batch * tokens, D]);
  const last = params.blocks.length - 1;
  const states = params.blocks.reduce(
    (x, layer, index) => block(layer, x, config.tower, tokens, index === last ? read : tokens),
    embedded,
  );
  // Without blocks nothing has left the other tokens out.
  return last < 0 ? firstTokens(states, tokens, read) : states;
}

/** Last hidden states of the leading tokens, [B·R, D] → logits [B, K]. */
function classify(
  config: VisionTransformerConfig,
  params: VisionTransformerParams,
  hidden: Tensor2D,
): Tensor2D {
  const read = leadingTokens(config);
  const { embedDim: D, normEpsilon } = config.tower;
  const batch = hidden.shape[0] / read;
  const normalized = layerNorm(hidden, params.norm.weight, params.norm.bias, normEpsilon);
  const logitsOf = (states: Tensor2D, { weight, bias }: LinearParams): Tensor2D =>
    linear(states, weight, bias);
  if (read === 1) return logitsOf(normalized, params.head);
  const perSequence: Tensor3D = reshape(normalized, [batch, read, D]);
  const stateOf = (token: number): Tensor2D =>
    reshape(slice(perSequence, [0, token, 0], [batch, 1, D]), [batch, D]);
  const logits = logitsOf(stateOf(0), params.head);
  if (params.distillationHead === undefined) return logits;
  return mul(add(logits, logitsOf(stateOf(1), params.distillationHead)), 0.5);
}

/** [B, S, S, C] → [B·N, P·P·C]. */
function patchify(images: Tensor4D, patchSize: number, grid: number): Tensor2D {
  const [batch, , , channels] = images.shape;
  const rows = reshape(images, [batch, grid, patchSize, grid, patchSize * channels]);
  const patches = transpose(rows, [0, 1, 3, 2, 4]); // [B, grid, grid, P, P·C]
  return reshape(patches, [batch * grid * grid, patchSize * patchSize * channels]);
}

function visionTransformerSpecs(
  config: VisionTransformerConfig,
): VisionTransformerParams<ParameterSpec, ParameterSpec> {
  const { patchSize, channels, classes, distillation, tower } = config;
  const { embedDim: D } = tower;
  const head = () => ({ weight: normal([D, classes], 0.02), bias: zeros([classes]) });
  return {
    patchEmbedding: linearSpecs(patchSize * patchSize * channels, D),
    classToken: normal([1, D], 0.02),
    ...(distillation === 'none' ? {} : { distillationToken: normal([1, D], 0.02) }),
    positions: normal([tokenCount(config), D], 0.02),
    blocks: tower.blocks.map((shape) => blockSpecs(tower, shape)),
    norm: layerNormSpecs(D),
    head: head(),
    ...(distillation === 'head' ? { distillationHead: head() } : {}),
  };
}

function visionTransformerAccount(config: VisionTransformerConfig): AccountLine[] {
  const { patchSize, channels, classes, distillation, tower } = config;
  const { embedDim: D } = tower;
  const tokens = tokenCount(config);
  const heads = distillation === 'head' ? ['head', 'distillationHead'] : ['head'];
  return [
    {
      part: 'patchEmbedding',
      ...linearCost(patchSize * patchSize * channels, D, patchGrid(config) ** 2),
    },
    { part: 'tokens', parameters: leadingTokens(config) * D, macs: 0 },
    { part: 'positions', parameters: tokens * D, macs: 0 },
    ...towerAccount(tower, 'blocks', tokens),
    { part: 'norm', ...layerNormCost(D, tokens) },
    ...heads.map((part) => ({ part, ...linearCost(D, classes, 1) })),
  ];
}

function shrunkBlocks(sites: readonly Site[], decision: Decision): { headDim: number; hiddenDim: number }[] {
  const keptAt = (structure: Site['structure']) =>
    sites.filter((site) => site.structure === structure).map((site) => keptUnits(decision, site).length);
  const headDims = keptAt('attention');
  return keptAt('ffn').map((hiddenDim, layer) => ({ headDim: headDims[layer] ?? 0, hiddenDim }));
}
