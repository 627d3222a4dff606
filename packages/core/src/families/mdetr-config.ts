import { z } from 'zod';
import type { FusionShape } from '../layers/fusion';
import type { DenseConfig } from './model';
import { count, tiesShape } from './schemas';
import { type TextTowerConfig, hasEndToken, knownEndToken, textTowerShape } from './text-tower-config';
import { type VisionTowerConfig, isWholeGrid, visionTowerShape, wholeGrid } from './vision-tower-config';

/** The part that reads pictures and texts together, and finds objects. */
export interface FusionConfig extends FusionShape {
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  /** Q: objects that can be found in a picture. */
  readonly queries: number;
  /** Width of the space in which queries and words are compared. */
  readonly alignmentDim: number;
}

/** Grounding by a transformer over the tokens of two towers (Kamath et al., 2021, MDETR). */
export interface MdetrConfig extends DenseConfig {
  readonly kind: 'mdetr';
  /** Its patches are read, and none of its other tokens. */
  readonly vision: VisionTowerConfig;
  readonly text: TextTowerConfig;
  readonly fusion: FusionConfig;
  /** Without it the model answers no questions. */
  readonly questions?: QuestionsConfig;
}

/** Questions that a model answers: each is of a type, and each type has answers of its own. */
export interface QuestionsConfig {
  /** The number of answers of each type. */
  readonly answers: readonly number[];
}

/** Sizes of the fusion by name: MDETR's published one, and one for small pictures and quick trials. */
export const fusionPresets = {
  nano: {
    width: 96,
    heads: 4,
    hiddenDim: 384,
    encoderLayers: 2,
    decoderLayers: 2,
    queries: 12,
    alignmentDim: 32,
  },
  published: {
    width: 256,
    heads: 8,
    hiddenDim: 2048,
    encoderLayers: 6,
    decoderLayers: 6,
    queries: 100,
    alignmentDim: 64,
  },
} as const satisfies Readonly<Record<string, FusionConfig>>;
export type FusionPreset = keyof typeof fusionPresets;

const isDivided = ({ width, heads }: FusionShape): boolean => width % heads === 0 && width % 4 === 0;

/** Reads the configuration of an MDETR. */
export const mdetrSchema = z.strictObject({
  kind: z.literal('mdetr'),
  vision: z
    .strictObject(visionTowerShape)
    .refine(isWholeGrid, wholeGrid)
    .refine(({ attentionPool }) => attentionPool === undefined, {
      path: ['attentionPool'],
      message: 'expected none: patches are read, and not a pooled state',
    })
    .refine(({ merging }) => merging === undefined, {
      path: ['merging'],
      message: 'expected none: each patch has its place in the picture',
    }),
  text: z.strictObject(textTowerShape).refine(hasEndToken, knownEndToken),
  fusion: z
    .strictObject({
      width: count,
      heads: count,
      hiddenDim: count,
      encoderLayers: count,
      decoderLayers: count,
      queries: count,
      alignmentDim: count,
    })
    .refine(isDivided, { path: ['width'], message: 'expected a multiple of 4 and of the heads' }),
  questions: z.strictObject({ answers: z.array(count).min(1) }).exactOptional(),
  ...tiesShape,
});
