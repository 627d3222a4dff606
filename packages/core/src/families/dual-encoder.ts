import { type Tensor1D, type Tensor2D, type Tensor4D, add, exp, matMul, mul } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import type { Decision } from '../decision/decision';
import { bare, modelPlace, placed, together } from '../layers/layer';
import { projection } from '../layers/linear';
import { type ParameterSpec, constant, zeros } from '../layers/parameter';
import { linear } from '../operations/linear';
import { unitLength } from '../operations/unit-length';
import { applied } from '../reparametrisation/reparametrisation';
import type { TextInputs } from './clip-text';
import { defineFamily } from './family';
import { type Hooks, hooksUnder } from './hooks';
import { type DenseConfig, type Model, described, shrunkConfig } from './model';
import type { Logits } from './prediction';
import { count, tiesShape } from './schemas';
import { pictureText, textsText, towerText } from './summary';
import { type TextTowerParams, textTower } from './text-tower';
import { type TextTowerConfig, hasEndToken, knownEndToken, textTowerShape } from './text-tower-config';
import { tied } from './ties';
import { type VisionTowerParams, visionTower } from './vision-tower';
import {
  type VisionTowerConfig,
  causalMerging,
  isWholeGrid,
  mergesFreely,
  visionTowerShape,
  wholeGrid,
} from './vision-tower-config';
import type { ImageInputs } from './vision-transformer';

/** The loss that a dual encoder is trained with: without a name the contrastive one, in which pairs compete (CLIP). */
export type PairLoss = 'sigmoid';

export interface DualEncoderConfig extends DenseConfig {
  readonly kind: 'dual-encoder';
  /** P: width of the embeddings that pictures and texts share. */
  readonly projectionDim: number;
  /** Without distillation tokens. */
  readonly vision: VisionTowerConfig;
  readonly text: TextTowerConfig;
  /**
   * Without it a matrix brings each tower's state into the common space. `text-alone`: the picture's state is its embedding,
   * and a linear map with a bias brings the text's there (SigLIP).
   */
  readonly projections?: 'text-alone';
  /** `sigmoid`: each pair is told right or wrong by itself, with a learned bias of the logits (SigLIP). */
  readonly loss?: PairLoss;
}

export type DualEncoderParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  vision: VisionTowerParams<Matrix, Vector>;
  text: TextTowerParams<Matrix, Vector>;
  visionProjection?: Matrix; // [D, P]
  textProjection: Matrix; // [D, P]
  textProjectionBias?: Vector; // [P]
  logitScale: Vector; // [1], the logarithm of 1/temperature
  logitBias?: Vector; // [1]
};

export type DualEncoderInputs = ImageInputs & TextInputs;

export interface DualEncoder extends Model<DualEncoderParams, DualEncoderInputs, Logits> {
  readonly config: DualEncoderConfig;
  readonly specs: DualEncoderParams<ParameterSpec, ParameterSpec>;
  /** Pictures [B, H, W, C] → embeddings of length 1, [B, P]. */
  embedImages(params: DualEncoderParams, images: Tensor4D, hooks?: Hooks): Tensor2D;
  /** Token sequences [B, T] → embeddings of length 1, [B, P]. */
  embedTexts(params: DualEncoderParams, tokens: Tensor2D, hooks?: Hooks): Tensor2D;
  shrink(decision: Decision): DualEncoder;
}

const START_TEMPERATURE = 0.07;
/** Zhai et al., 2023, SigLIP, Section 3.2: most pairs are wrong, and the first logits say so. */
const SIGMOID_START = { temperature: 0.1, bias: -10 } as const;

/**
 * A vision tower and a text tower into one space (CLIP: Radford et al., 2021, Figure 3; SigLIP: Zhai et al., 2023): logits
 * [N, M] are the scaled cosines of N pictures and M texts, plus the bias where there is one; the prediction's `images` and `texts` are the embeddings. With ties its parameters
 * are those that are stored: columns that others own are missing from its record.
 * @throws {RangeError} when pictures that are not projected have another width than the common space.
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
  const [isProjected, isSigmoid] = [config.projections === undefined, config.loss === 'sigmoid'];
  if (!fitsCommonSpace(config)) throw new RangeError(otherWidth.message);
  const vision = visionTower(config.vision, 1);
  const text = textTower(config.text);
  const once = { uses: [{ tokens: 1 }] };
  const projectionOf = (D: number) => placed(once, projection(D, P, D ** -0.5));
  const layer = together({
    vision: placed({ tower: 'vision', config: 'vision' }, vision.layer),
    text: placed({ tower: 'text', config: 'text' }, text.layer),
    ...(isProjected ? { visionProjection: projectionOf(config.vision.tower.embedDim) } : {}),
    textProjection: projectionOf(config.text.tower.embedDim),
    ...(isProjected ? {} : { textProjectionBias: bare(zeros([P])) }),
    logitScale: bare(
      constant([1], Math.log(1 / (isSigmoid ? SIGMOID_START.temperature : START_TEMPERATURE))),
    ),
    ...(isSigmoid ? { logitBias: bare(constant([1], SIGMOID_START.bias)) } : {}),
  });
  const model = described(config, layer, modelPlace('vision'));
  const embedImages = (params: DualEncoderParams, images: Tensor4D, hooks: Hooks = {}): Tensor2D => {
    const states = vision.pictureStates(params.vision, images, hooksUnder(hooks, 'vision'));
    if (params.visionProjection === undefined) return unitLength(states);
    hooks.observe?.('visionProjection', states);
    return unitLength(linear(states, params.visionProjection));
  };
  const embedTexts = (params: DualEncoderParams, tokens: Tensor2D, hooks: Hooks = {}): Tensor2D => {
    const states = text.states(params.text, tokens, hooksUnder(hooks, 'text'));
    hooks.observe?.('textProjection', states);
    return unitLength(linear(states, params.textProjection, params.textProjectionBias));
  };
  return {
    ...model,
    ...(config.vision.merging === undefined ? {} : { mergesTokens: true }),
    readout: {
      projections: [
        ...(isProjected ? [{ parameter: 'visionProjection', tower: 'vision' }] : []),
        { parameter: 'textProjection', tower: 'text' },
      ],
      heads: [],
    },
    embedImages,
    embedTexts,
    forward: (params, { images: pictures, tokens, ...hooks }) => {
      const images = embedImages(params, pictures, hooks);
      const texts = embedTexts(params, tokens, hooks);
      return { logits: similarity(images, texts, params), images, texts };
    },
    shrink: (decision) => dualEncoder(shrunkConfig(config, model.sites, decision)),
  };
}

/** Embeddings of N pictures [N, P] and of M texts [M, P] → logits [N, M]. */
export function similarity(
  images: Tensor2D,
  texts: Tensor2D,
  { logitScale, logitBias }: Pick<DualEncoderParams, 'logitScale' | 'logitBias'>,
): Tensor2D {
  const scaled: Tensor2D = mul(matMul(images, texts, false, true), exp(logitScale));
  return logitBias === undefined ? scaled : add(scaled, logitBias);
}

const fitsCommonSpace = ({
  projections,
  projectionDim,
  vision,
}: Pick<DualEncoderConfig, 'projections' | 'projectionDim'> & {
  readonly vision: Pick<VisionTowerConfig, 'tower'>;
}): boolean => projections === undefined || vision.tower.embedDim === projectionDim;
const otherWidth = {
  path: ['projectionDim'],
  message: 'expected the width of the vision tower, as its states are the embeddings of pictures',
};

export const dualEncoderFamily = defineFamily<DualEncoderConfig, DualEncoder>({
  kind: 'dual-encoder',
  schema: z
    .strictObject({
      kind: z.literal('dual-encoder'),
      projectionDim: count,
      vision: z
        .strictObject(visionTowerShape)
        .refine(isWholeGrid, wholeGrid)
        .refine(mergesFreely, causalMerging)
        .refine(({ classToken, attentionPool }) => classToken !== false || attentionPool !== undefined, {
          path: ['classToken'],
          message: 'expected a class token, which the projection reads, or attention pooling',
        }),
      text: z.strictObject(textTowerShape).refine(hasEndToken, knownEndToken),
      projections: z.literal('text-alone').exactOptional(),
      loss: z.literal('sigmoid').exactOptional(),
      ...tiesShape,
    })
    .refine(fitsCommonSpace, otherWidth),
  build: dualEncoder,
  towers: ({ vision, text }) => ({ vision, text }),
  pictures: {
    positions: 'vision.positions',
    at: (config, imageSize) => ({ ...config, vision: { ...config.vision, imageSize } }),
    merging: ({ vision: { merging: _, ...vision }, ...config }, merging) => ({
      ...config,
      vision: merging === undefined ? vision : { ...vision, merging },
    }),
  },
  summary: ({ projectionDim, vision, text, loss }) =>
    [
      `Dual encoder with embeddings of ${projectionDim}${loss === undefined ? '' : ', trained by the sigmoid loss'}`,
      `  vision: ${towerText(vision.tower)}; ${pictureText(vision)}`,
      `  text:   ${towerText(text.tower)}; ${textsText(text)}`,
    ].join('\n'),
});
