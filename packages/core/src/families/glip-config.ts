import { z } from 'zod';
import type { DenseConfig } from './model';
import { count, tiesShape } from './schemas';
import { type TextTowerConfig, hasEndToken, knownEndToken, textTowerShape } from './text-tower-config';
import {
  type VisionTowerConfig,
  isWholeGrid,
  patchGrid,
  visionTowerShape,
  wholeGrid,
} from './vision-tower-config';

/** Grids on which objects are looked for: that of the patches, or also one twice as fine and one half as fine. */
export const detectionLevels = ['flat', 'pyramid'] as const;
export type DetectionLevels = (typeof detectionLevels)[number];

/** The part that brings pictures and class names together, and says of each region which name fits it and where its object is. */
export interface DetectionHeadConfig {
  readonly levels: DetectionLevels;
  /** c: channels of all regions. */
  readonly width: number;
  /** Groups of channels that are normalised together. */
  readonly groups: number;
  readonly rounds: number;
  /** Regions and words look at each other in every round; without it they meet at the end. */
  readonly deepFusion: boolean;
  readonly heads: number;
  /** E: width of all heads of the fusion together. */
  readonly fusionDim: number;
  /** Side of the square that a region starts from, in strides of its grid. */
  readonly anchorScale: number;
}

/** Detection by the alignment of regions and words (Li et al., 2022, GLIP). */
export interface GlipConfig extends DenseConfig {
  readonly kind: 'glip';
  /** Its patches are read, and none of its other tokens. */
  readonly vision: VisionTowerConfig;
  readonly text: TextTowerConfig;
  readonly head: DetectionHeadConfig;
}

type HeadSize = Omit<DetectionHeadConfig, 'levels' | 'deepFusion'>;

/** Sizes of the head by name: GLIP's published one, one for one computer, and one for small pictures and quick trials. */
export const detectionHeadPresets = {
  nano: { width: 96, groups: 8, rounds: 2, heads: 4, fusionDim: 96, anchorScale: 3 },
  mini: { width: 256, groups: 16, rounds: 3, heads: 8, fusionDim: 256, anchorScale: 8 },
  published: { width: 256, groups: 16, rounds: 6, heads: 8, fusionDim: 2048, anchorScale: 8 },
} as const satisfies Readonly<Record<string, HeadSize>>;
export type DetectionHeadPreset = keyof typeof detectionHeadPresets;

/** A grid of regions. */
export interface DetectionLevel {
  readonly rows: number;
  readonly columns: number;
  /** Pixels from one region to the next. */
  readonly stride: number;
}

/** The grids of a model, the finest first. */
export function levelsOf({ vision, head }: Pick<GlipConfig, 'vision' | 'head'>): readonly DetectionLevel[] {
  const [rows, columns] = patchGrid(vision);
  const { patchSize } = vision;
  const scaled = (times: number): DetectionLevel => ({
    rows: rows * times,
    columns: columns * times,
    stride: patchSize / times,
  });
  return head.levels === 'flat' ? [scaled(1)] : [scaled(2), scaled(1), scaled(0.5)];
}

const isEven = ({ vision, head }: Pick<GlipConfig, 'vision' | 'head'>): boolean =>
  head.levels === 'flat' || patchGrid(vision).every((side) => side % 2 === 0);

/** Reads the configuration of a GLIP. */
export const glipSchema = z
  .strictObject({
    kind: z.literal('glip'),
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
    head: z
      .strictObject({
        levels: z.enum(detectionLevels),
        width: count,
        groups: count,
        rounds: count,
        deepFusion: z.boolean(),
        heads: count,
        fusionDim: count,
        anchorScale: z.number().positive(),
      })
      .refine(({ width, groups }) => width % groups === 0, {
        path: ['width'],
        message: 'expected a multiple of the groups',
      })
      .refine(({ fusionDim, heads }) => fusionDim % heads === 0, {
        path: ['fusionDim'],
        message: 'expected a multiple of the heads',
      }),
    ...tiesShape,
  })
  .refine((config) => !isWholeGrid(config.vision) || isEven(config), {
    path: ['head', 'levels'],
    message: 'expected flat levels, or an even number of patches on each side of the picture',
  });
