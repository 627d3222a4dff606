import {
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  add,
  concat,
  div,
  mean,
  mul,
  reshape,
  slice,
  sum,
} from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { counted } from '../text/counted';
import type { Decision } from '../decision/decision';
import { bare, modelPlace, placed, together } from '../layers/layer';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import { type ParameterSpec, undecayed } from '../layers/parameter';
import { applied } from '../reparametrisation/reparametrisation';
import { defineFamily } from './family';
import type { CountedStates } from '../layers/token-merging';
import { firstTokens } from '../layers/tower';
import type { Hooks } from './hooks';
import { type Model, described, shrunkConfig } from './model';
import type { Logits } from './prediction';
import { count, tiesShape } from './schemas';
import { pictureText, towerText } from './summary';
import { tied } from './ties';
import { type VisionTowerParams, visionTower } from './vision-tower';
import {
  causalMerging,
  isWholeGrid,
  leadingTokens,
  mergesFreely,
  pictureTokens,
  visionTowerShape,
  wholeGrid,
} from './vision-tower-config';
import type { VisionTransformerConfig } from './vision-transformer-config';

export type VisionTransformerParams<Matrix = Tensor2D, Vector = Tensor1D> = VisionTowerParams<
  Matrix,
  Vector
> & {
  head: LinearParams<Matrix, Vector>; // [D, K]
  distillationHead?: LinearParams<Matrix, Vector>; // [D, K]
};

/** Pictures [B, H, W, C]. */
export interface ImageInputs extends Hooks {
  readonly images: Tensor4D;
}

export interface VisionTransformer extends Model<VisionTransformerParams, ImageInputs, Logits> {
  readonly config: VisionTransformerConfig;
  readonly specs: VisionTransformerParams<ParameterSpec, ParameterSpec>;
  /** The normalised last hidden states of the T tokens that are left, [B, T, D]. */
  features(params: VisionTransformerParams, inputs: ImageInputs): Tensor3D;
  shrink(decision: Decision): VisionTransformer;
}

/**
 * DeiT / ViT: a pre-norm transformer over patches, classifying by the class token (Touvron et al., 2021), by the state
 * that its attention pool makes of all tokens, or as its `headInput` says.
 * @throws {RangeError} when the head asks for tokens that the model does not have.
 */
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
  const { classes, distillation, headInput, normAfterMean = false } = config;
  if (!readsWhatIsThere(config)) throw new RangeError(unreadable.message);
  const D = config.tower.embedDim;
  const backbone = visionTower(config, normAfterMean ? 1 : undefined);
  const tokens = backbone.left;
  const width = headInput === 'class-and-mean' ? 2 * D : D;
  const head = placed({ uses: [{ tokens: 1 }] }, linearLayer(width, classes, 0.02));
  const layer = together({
    ...backbone.parts,
    positions: bare(undecayed(backbone.layer.specs.positions)),
    head,
    ...(distillation === 'head' ? { distillationHead: head } : {}),
  });
  const model = described(config, layer, modelPlace('vision'));
  const read = pictureTokens(config);
  return {
    ...model,
    ...(config.merging === undefined ? {} : { mergesTokens: true }),
    readout: { projections: [], heads: ['head', 'distillationHead'] },
    forward: (params, { images, ...hooks }) => {
      if (config.attentionPool !== undefined) {
        const states = backbone.pictureStates(params, images, hooks);
        return { logits: project(states, params.head, 'head', hooks.observe), states };
      }
      if (headInput === undefined) {
        return classify(params, backbone.states(params, images, hooks, read).states, read, hooks);
      }
      const { states: all, counts } = backbone.run(params, images, hooks);
      const normed = normAfterMean ? all : backbone.normalized(params, all);
      const mean = patchMean({ states: normed, counts }, tokens, leadingTokens(config));
      const patches = normAfterMean ? backbone.normalized(params, mean) : mean;
      const states =
        headInput === 'mean' ? patches : concat<Tensor2D>([firstTokens(normed, tokens, 1), patches], 1);
      return { logits: project(states, params.head, 'head', hooks.observe), states };
    },
    features: (params, { images, ...hooks }) =>
      reshape(backbone.states(params, images, hooks).states, [images.shape[0], tokens, D]),
    shrink: (decision) => visionTransformer(shrunkConfig(config, model.sites, decision)),
  };
}

/** States [B·T, D] → their mean over the patches of each picture, [B, D]; merged ones weigh as much as they count. */
function patchMean({ states, counts }: CountedStates, tokens: number, leading: number): Tensor2D {
  const [rows, D] = states.shape;
  const [batch, patches] = [rows / tokens, tokens - leading];
  const perPicture: Tensor3D = reshape(states, [batch, tokens, D]);
  const ofPatches = slice(perPicture, [0, leading, 0], [batch, patches, D]);
  if (counts === undefined) return mean(ofPatches, 1);
  const weights = reshape(slice(counts, [0, leading], [batch, patches]), [batch, patches, 1]);
  return div(sum<Tensor2D>(mul(ofPatches, weights), 1), sum<Tensor2D>(weights, 1));
}

/** Normalised last hidden states of the tokens for the whole picture, [B·R, D] → logits [B, K], and those states. */
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

/** A head reads tokens that there are, and only a mean has a norm of its own. */
const readsWhatIsThere = (config: Omit<VisionTransformerConfig, 'kind' | 'classes'>): boolean => {
  const { classToken, distillation, headInput, normAfterMean, attentionPool } = config;
  if (attentionPool !== undefined)
    return headInput === undefined && distillation === 'none' && normAfterMean === undefined;
  if (classToken === false && (headInput !== 'mean' || distillation !== 'none')) return false;
  if (headInput !== undefined && distillation === 'head') return false;
  return normAfterMean === undefined || headInput === 'mean';
};
const unreadable = {
  path: ['headInput'],
  message:
    'expected a head that reads tokens which the model has: the mean where there is no class token, no mean beside a distillation head, a norm after it only for the mean alone, and nothing but the pooled state where there is attention pooling',
};

export const visionTransformerFamily = defineFamily<VisionTransformerConfig, VisionTransformer>({
  kind: 'vision-transformer',
  schema: z
    .strictObject({
      kind: z.literal('vision-transformer'),
      ...visionTowerShape,
      classes: count,
      headInput: z.enum(['mean', 'class-and-mean']).exactOptional(),
      normAfterMean: z.literal(true).exactOptional(),
      ...tiesShape,
    })
    .refine(isWholeGrid, wholeGrid)
    .refine(mergesFreely, causalMerging)
    .refine(readsWhatIsThere, unreadable),
  build: visionTransformer,
  towers: (config) => ({ vision: config }),
  pictures: {
    positions: 'positions',
    at: (config, imageSize) => ({ ...config, imageSize }),
    merging: ({ merging: _, ...config }, merging) =>
      merging === undefined ? config : { ...config, merging },
  },
  classes: ({ classes }) => classes,
  summary: (config) =>
    `DeiT of ${towerText(config.tower)}; ${pictureText(config)}; ${counted(config.classes, 'class', 'classes')}`,
});
