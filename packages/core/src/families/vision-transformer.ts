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
import { z } from 'zod';
import type { Decision } from '../decision/decision';
import { bare, modelPlace, placed, together } from '../layers/layer';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import { type ParameterSpec, undecayed } from '../layers/parameter';
import { applied } from '../reparametrisation/reparametrisation';
import { defineFamily } from './family';
import type { Hooks } from './hooks';
import { type Model, described, shrunkConfig } from './model';
import type { Logits } from './prediction';
import { count, tiesShape } from './schemas';
import { pictureText, towerText } from './summary';
import { tied } from './ties';
import { type VisionTowerParams, visionTower } from './vision-tower';
import { isWholeGrid, leadingTokens, tokenCount, visionTowerShape, wholeGrid } from './vision-tower-config';
import type { VisionTransformerConfig } from './vision-transformer-config';

export type VisionTransformerParams<Matrix = Tensor2D, Vector = Tensor1D> = VisionTowerParams<
  Matrix,
  Vector
> & {
  head: LinearParams<Matrix, Vector>; // [D, K]
  distillationHead?: LinearParams<Matrix, Vector>; // [D, K]
};

/** Pictures [B, S, S, C]. */
export interface ImageInputs extends Hooks {
  readonly images: Tensor4D;
}

export interface VisionTransformer extends Model<VisionTransformerParams, ImageInputs, Logits> {
  readonly config: VisionTransformerConfig;
  readonly specs: VisionTransformerParams<ParameterSpec, ParameterSpec>;
  /** The normalised last hidden states, [B, T, D]. */
  features(params: VisionTransformerParams, inputs: ImageInputs): Tensor3D;
  shrink(decision: Decision): VisionTransformer;
}

/** DeiT / ViT: a pre-norm transformer over patches, classifying by the class token (Touvron et al., 2021). */
export function visionTransformer({ ties, ...config }: VisionTransformerConfig): VisionTransformer {
  const whole = untied(config);
  if (ties === undefined) return whole;
  const model = tied(whole, ties);
  return {
    ...model,
    config: { ...config, ties },
    features: (params, inputs) => whole.features(applied(model.running.reparametrisation, params), inputs),
  };
}

/** As in timm and DeiT (`no_weight_decay`: pos_embed, cls_token, dist_token), positions do not decay. */
function untied(config: VisionTransformerConfig): VisionTransformer {
  const { classes, distillation } = config;
  const D = config.tower.embedDim;
  const tokens = tokenCount(config);
  const read = leadingTokens(config);
  const backbone = visionTower(config);
  const head = placed({ uses: [{ tokens: 1 }] }, linearLayer(D, classes, 0.02));
  const layer = together({
    ...backbone.parts,
    positions: bare(undecayed(backbone.layer.specs.positions)),
    head,
    ...(distillation === 'head' ? { distillationHead: head } : {}),
  });
  const model = described(config, layer, modelPlace('vision'));
  return {
    ...model,
    readout: { projections: [], heads: ['head', 'distillationHead'] },
    forward: (params, { images, ...hooks }) =>
      classify(params, backbone.states(params, images, hooks, read), read, hooks),
    features: (params, { images, ...hooks }) =>
      reshape(backbone.states(params, images, hooks), [images.shape[0], tokens, D]),
    shrink: (decision) => visionTransformer(shrunkConfig(config, model.sites, decision)),
  };
}

/** Normalised last hidden states of the leading tokens, [B·R, D] → logits [B, K], and those states. */
function classify(
  params: VisionTransformerParams,
  states: Tensor2D,
  read: number,
  { observe }: Hooks,
): Logits {
  const [rows, D] = states.shape;
  const batch = rows / read;
  if (read === 1) return { logits: project(states, params.head, 'head', observe), states };
  const perSequence: Tensor3D = reshape(states, [batch, read, D]);
  const stateOf = (token: number): Tensor2D =>
    reshape(slice(perSequence, [0, token, 0], [batch, 1, D]), [batch, D]);
  const logits = project(stateOf(0), params.head, 'head', observe);
  if (params.distillationHead === undefined) return { logits, states };
  const distilled = project(stateOf(1), params.distillationHead, 'distillationHead', observe);
  return { logits: mul(add(logits, distilled), 0.5), states };
}

export const visionTransformerFamily = defineFamily<VisionTransformerConfig, VisionTransformer>({
  kind: 'vision-transformer',
  schema: z
    .strictObject({
      kind: z.literal('vision-transformer'),
      ...visionTowerShape,
      classes: count,
      ...tiesShape,
    })
    .refine(isWholeGrid, wholeGrid),
  build: visionTransformer,
  towers: (config) => ({ vision: config }),
  classes: ({ classes }) => classes,
  summary: (config) =>
    `DeiT of ${towerText(config.tower)}; ${pictureText(config)}; ${config.classes} classes`,
});
