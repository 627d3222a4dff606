import {
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  add,
  mul,
  reshape,
  slice,
} from '@tensorflow/tfjs-core';
import { type AccountLine, accountOf, linearCost } from '../account/account';
import type { Decision } from '../decision/decision';
import { linear } from '../operations/linear';
import { towerSites } from '../sites/site';
import type { LinearParams } from '../transformer/block';
import { type ParameterSpec, normal, undecayed, zeros } from '../transformer/parameter';
import type { Model } from './model';
import type { Perturb } from './perturbation';
import type { Prediction } from './prediction';
import { shrunkTower } from './shrunk-tower';
import { type VisionTowerParams, visionStates, visionTowerAccount, visionTowerSpecs } from './vision-tower';
import { leadingTokens, tokenCount } from './vision-tower-config';
import type { VisionTransformerConfig } from './vision-transformer-config';

export type VisionTransformerParams<Matrix = Tensor2D, Vector = Tensor1D> = VisionTowerParams<
  Matrix,
  Vector
> & {
  head: LinearParams<Matrix, Vector>; // [D, K]
  distillationHead?: LinearParams<Matrix, Vector>; // [D, K]
};

/** Pictures [B, S, S, C]. */
export interface ImageInputs {
  readonly images: Tensor4D;
  readonly perturb?: Perturb;
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
  const read = leadingTokens(config);
  const sites = towerSites(tower, { tower: 'vision', path: 'blocks', tokens });
  return {
    config,
    specs: visionTransformerSpecs(config),
    sites,
    account: accountOf(visionTransformerAccount(config)),
    readout: { projections: [], heads: ['head', 'distillationHead'] },
    forward: (params, { images, perturb }) =>
      classify(params, visionStates(config, params, images, read, perturb), read),
    features: (params, { images }) =>
      reshape(visionStates(config, params, images), [images.shape[0], tokens, tower.embedDim]),
    shrink: (decision) => visionTransformer({ ...config, tower: shrunkTower(tower, sites, decision) }),
  };
}

/** Normalised last hidden states of the leading tokens, [B·R, D] → logits [B, K], and those states. */
function classify(params: VisionTransformerParams, states: Tensor2D, read: number): Prediction {
  const [rows, D] = states.shape;
  const batch = rows / read;
  const logitsOf = (state: Tensor2D, { weight, bias }: LinearParams): Tensor2D => linear(state, weight, bias);
  if (read === 1) return { logits: logitsOf(states, params.head), states };
  const perSequence: Tensor3D = reshape(states, [batch, read, D]);
  const stateOf = (token: number): Tensor2D =>
    reshape(slice(perSequence, [0, token, 0], [batch, 1, D]), [batch, D]);
  const logits = logitsOf(stateOf(0), params.head);
  if (params.distillationHead === undefined) return { logits, states };
  return { logits: mul(add(logits, logitsOf(stateOf(1), params.distillationHead)), 0.5), states };
}

/** As in timm and DeiT (`no_weight_decay`: pos_embed, cls_token, dist_token), positions do not decay either. */
function visionTransformerSpecs(
  config: VisionTransformerConfig,
): VisionTransformerParams<ParameterSpec, ParameterSpec> {
  const { classes, distillation, tower } = config;
  const head = () => ({ weight: normal([tower.embedDim, classes], 0.02), bias: zeros([classes]) });
  const vision = visionTowerSpecs(config);
  return {
    ...vision,
    positions: undecayed(vision.positions),
    head: head(),
    ...(distillation === 'head' ? { distillationHead: head() } : {}),
  };
}

function visionTransformerAccount(config: VisionTransformerConfig): AccountLine[] {
  const { classes, distillation, tower } = config;
  const heads = distillation === 'head' ? ['head', 'distillationHead'] : ['head'];
  return [
    ...visionTowerAccount(config),
    ...heads.map((part) => ({ part, ...linearCost(tower.embedDim, classes, 1) })),
  ];
}
