import {
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  add,
  exp,
  matMul,
  mul,
  rsqrt,
  square,
  sum,
} from '@tensorflow/tfjs-core';
import { z } from 'zod';
import type { Decision } from '../decision/decision';
import { bare, modelPlace, placed, together } from '../layers/layer';
import { projection } from '../layers/linear';
import { observeUnder } from '../layers/observe';
import { type ParameterSpec, constant } from '../layers/parameter';
import { linear } from '../operations/linear';
import { applied } from '../reparametrisation/reparametrisation';
import type { TextInputs } from './clip-text';
import { defineFamily } from './family';
import type { Hooks } from './hooks';
import { type DenseConfig, type Model, described, shrunkConfig } from './model';
import type { Logits } from './prediction';
import { count, tiesShape } from './schemas';
import { pictureText, textsText, towerText } from './summary';
import { type TextTowerParams, textTower } from './text-tower';
import { type TextTowerConfig, hasEndToken, knownEndToken, textTowerShape } from './text-tower-config';
import { tied } from './ties';
import { type VisionTowerParams, visionTower } from './vision-tower';
import { type VisionTowerConfig, isWholeGrid, visionTowerShape, wholeGrid } from './vision-tower-config';
import type { ImageInputs } from './vision-transformer';

export interface DualEncoderConfig extends DenseConfig {
  readonly kind: 'dual-encoder';
  /** P: width of the embeddings that pictures and texts share. */
  readonly projectionDim: number;
  /** Without distillation tokens. */
  readonly vision: VisionTowerConfig;
  readonly text: TextTowerConfig;
}

export type DualEncoderParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  vision: VisionTowerParams<Matrix, Vector>;
  text: TextTowerParams<Matrix, Vector>;
  visionProjection: Matrix; // [D, P]
  textProjection: Matrix; // [D, P]
  logitScale: Vector; // [1], the logarithm of 1/temperature
};

export type DualEncoderInputs = ImageInputs & TextInputs;

export interface DualEncoder extends Model<DualEncoderParams, DualEncoderInputs, Logits> {
  readonly config: DualEncoderConfig;
  readonly specs: DualEncoderParams<ParameterSpec, ParameterSpec>;
  /** Pictures [B, S, S, C] → embeddings of length 1, [B, P]. */
  embedImages(params: DualEncoderParams, images: Tensor4D, hooks?: Hooks): Tensor2D;
  /** Token sequences [B, T] → embeddings of length 1, [B, P]. */
  embedTexts(params: DualEncoderParams, tokens: Tensor2D, hooks?: Hooks): Tensor2D;
  shrink(decision: Decision): DualEncoder;
}

const START_TEMPERATURE = 0.07;

/**
 * A vision tower and a text tower into one space (CLIP: Radford et al., 2021, Figure 3): logits [N, M] are the scaled
 * cosines of N pictures and M texts; the prediction's `images` and `texts` are the embeddings. With ties its parameters
 * are those that are stored: columns that others own are missing from its record.
 */
export function dualEncoder({ ties, ...config }: DualEncoderConfig): DualEncoder {
  const whole = untied(config);
  if (ties === undefined) return whole;
  const model = tied(whole, ties);
  const running = (params: DualEncoderParams) => applied(model.running.reparametrisation, params);
  return {
    ...model,
    config: { ...config, ties },
    embedImages: (params, images, hooks) => whole.embedImages(running(params), images, hooks),
    embedTexts: (params, tokens, hooks) => whole.embedTexts(running(params), tokens, hooks),
  };
}

function untied(config: DualEncoderConfig): DualEncoder {
  const { projectionDim: P } = config;
  const vision = visionTower(config.vision, 1);
  const text = textTower(config.text);
  const once = { uses: [{ tokens: 1 }] };
  const projectionOf = (D: number) => placed(once, projection(D, P, D ** -0.5));
  const layer = together({
    vision: placed({ tower: 'vision', config: 'vision' }, vision.layer),
    text: placed({ tower: 'text', config: 'text' }, text.layer),
    visionProjection: projectionOf(config.vision.tower.embedDim),
    textProjection: projectionOf(config.text.tower.embedDim),
    logitScale: bare(constant([1], Math.log(1 / START_TEMPERATURE))),
  });
  const model = described(config, layer, modelPlace('vision'));
  const under = (hooks: Hooks, key: string): Hooks => {
    const observe = observeUnder(hooks.observe, key);
    return { ...hooks, ...(observe === undefined ? {} : { observe }) };
  };
  const embedImages = (params: DualEncoderParams, images: Tensor4D, hooks: Hooks = {}): Tensor2D => {
    const states = vision.states(params.vision, images, under(hooks, 'vision'), 1);
    hooks.observe?.('visionProjection', states);
    return unitLength(linear(states, params.visionProjection));
  };
  const embedTexts = (params: DualEncoderParams, tokens: Tensor2D, hooks: Hooks = {}): Tensor2D => {
    const states = text.states(params.text, tokens, under(hooks, 'text'));
    hooks.observe?.('textProjection', states);
    return unitLength(linear(states, params.textProjection));
  };
  return {
    ...model,
    readout: {
      projections: [
        { parameter: 'visionProjection', tower: 'vision' },
        { parameter: 'textProjection', tower: 'text' },
      ],
      heads: [],
    },
    embedImages,
    embedTexts,
    forward: (params, { images: pictures, tokens, ...hooks }) => {
      const images = embedImages(params, pictures, hooks);
      const texts = embedTexts(params, tokens, hooks);
      return { logits: similarity(images, texts, params.logitScale), images, texts };
    },
    shrink: (decision) => dualEncoder(shrunkConfig(config, model.sites, decision)),
  };
}

/** Embeddings of N pictures [N, P] and of M texts [M, P] → logits [N, M]. */
export function similarity(images: Tensor2D, texts: Tensor2D, logitScale: Tensor1D): Tensor2D {
  return mul(matMul(images, texts, false, true), exp(logitScale));
}

/** [N, P] → [N, P], rows of length 1. */
function unitLength(x: Tensor2D): Tensor2D {
  return mul(x, rsqrt(add(sum(square(x), 1, true), 1e-12)));
}

export const dualEncoderFamily = defineFamily<DualEncoderConfig, DualEncoder>({
  kind: 'dual-encoder',
  schema: z.strictObject({
    kind: z.literal('dual-encoder'),
    projectionDim: count,
    vision: z
      .strictObject(visionTowerShape)
      .refine(isWholeGrid, wholeGrid)
      .refine(({ classToken }) => classToken !== false, {
        path: ['classToken'],
        message: 'expected a class token, which the projection reads',
      }),
    text: z.strictObject(textTowerShape).refine(hasEndToken, knownEndToken),
    ...tiesShape,
  }),
  build: dualEncoder,
  towers: ({ vision, text }) => ({ vision, text }),
  pictures: {
    positions: 'vision.positions',
    at: (config, imageSize) => ({ ...config, vision: { ...config.vision, imageSize } }),
  },
  summary: ({ projectionDim, vision, text }) =>
    [
      `Dual encoder with embeddings of ${projectionDim}`,
      `  vision: ${towerText(vision.tower)}; ${pictureText(vision)}`,
      `  text:   ${towerText(text.tower)}; ${textsText(text)}`,
    ].join('\n'),
});
