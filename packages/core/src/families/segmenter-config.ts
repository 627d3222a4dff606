import { z } from 'zod';
import type { TowerConfig } from '../layers/tower';
import type { DenseConfig } from './model';
import { count, tiesShape, towerSchema } from './schemas';
import { type VisionTowerConfig, isWholeGrid, visionTowerShape, wholeGrid } from './vision-tower-config';

/**
 * The part that says of each patch what it shows: a linear map, or blocks in which patches and a learned token for each class look at
 * each other.
 */
export type SegmenterDecoder =
  { readonly kind: 'linear' } | { readonly kind: 'mask'; readonly tower: TowerConfig };

/** Segmentation by a vision transformer (Strudel et al., 2021, Segmenter). */
export interface SegmenterConfig extends DenseConfig {
  readonly kind: 'segmenter';
  /** Its patches are read, and none of its other tokens. */
  readonly vision: VisionTowerConfig;
  readonly classes: number;
  readonly decoder: SegmenterDecoder;
}

/** Layers of the published mask decoder. */
const DECODER_LAYERS = 2;

/** The published mask decoder for an encoder: two layers of its width, heads and activation (Strudel et al., Section 3.2). */
export function maskDecoder({ tower }: Pick<VisionTowerConfig, 'tower'>): SegmenterDecoder {
  const { embedDim, heads, denseHeadDim, activation, normEpsilon } = tower;
  const block = { headDim: denseHeadDim, hiddenDim: 4 * embedDim };
  return {
    kind: 'mask',
    tower: {
      embedDim,
      heads,
      denseHeadDim,
      activation,
      causal: false,
      normEpsilon,
      blocks: Array.from({ length: DECODER_LAYERS }, () => block),
    },
  };
}

/** A vision tower as the encoder of a segmenter: nothing is pooled, and every patch keeps its place. */
export function segmenterEncoder({
  attentionPool: _pool,
  merging: _merging,
  ...vision
}: VisionTowerConfig): VisionTowerConfig {
  return vision;
}

/** Reads the configuration of a segmenter. */
export const segmenterSchema = z.strictObject({
  kind: z.literal('segmenter'),
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
  classes: count,
  decoder: z.union(
    [
      z.strictObject({ kind: z.literal('linear') }),
      z.strictObject({
        kind: z.literal('mask'),
        tower: towerSchema.refine(({ causal }) => !causal, {
          path: ['causal'],
          message: 'expected false: patches look at each other',
        }),
      }),
    ],
    'expected a linear decoder, or a mask decoder with its tower',
  ),
  ...tiesShape,
});
