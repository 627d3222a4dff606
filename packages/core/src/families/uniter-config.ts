import { z } from 'zod';
import type { BlockShape } from '../layers/tower';
import type { Activation } from '../operations/activation';
import {
  type BertTextConfig,
  bertTextShape,
  fitsItsPositions,
  fittingPositions,
  knowsItsEnd,
  knownEnd,
} from './bert-words';
import type { DenseConfig } from './model';
import type { RegionSizes } from './region-embedding';
import { type RegionHead, regionHeadSchema } from './region-head';
import { blockSchema, count, tiesShape } from './schemas';
import { type VisionTransformerPreset, visionTransformerPresets } from './vision-tower-config';

/** Words and regions in one trunk (Chen et al., 2020, UNITER). */
export interface UniterConfig extends DenseConfig {
  readonly kind: 'uniter';
  /** The second of its types is added to each region. */
  readonly text: BertTextConfig;
  readonly regions: RegionSizes & {
    /** R: regions of the pictures that the account is about. */
    readonly count: number;
  };
  /** The layers that words and regions go through together. */
  readonly trunk: { readonly blocks: readonly BlockShape[] };
  /** D */
  readonly embedDim: number;
  readonly heads: number;
  /** Head dimension of the dense model; the attention scale stays 1/√denseHeadDim after a cut. */
  readonly denseHeadDim: number;
  readonly activation: Activation;
  readonly normEpsilon: number;
  readonly head: RegionHead;
}

export interface UniterOptions {
  readonly vocabulary: number;
  readonly context: number;
  readonly positions?: number;
  readonly endToken: number;
  readonly features?: number;
  readonly regions?: number;
  /** Default: pre-training. */
  readonly head?: RegionHead;
}

/** A dense UNITER whose trunk has the sizes of a DeiT: `base` is the published one. */
export function uniterConfig(
  preset: VisionTransformerPreset,
  {
    vocabulary,
    context,
    positions = context,
    endToken,
    features = 2048,
    regions = 36,
    head = { kind: 'pre-training' },
  }: UniterOptions,
): UniterConfig {
  const { embedDim, heads, layers } = visionTransformerPresets[preset];
  const headDim = embedDim / heads;
  return {
    kind: 'uniter',
    text: { vocabulary, context, positions, endToken, types: 2 },
    regions: { features, places: 7, count: regions },
    trunk: { blocks: Array.from({ length: layers }, () => ({ headDim, hiddenDim: 4 * embedDim })) },
    embedDim,
    heads,
    denseHeadDim: headDim,
    activation: 'gelu',
    normEpsilon: 1e-12,
    head,
  };
}

/** Reads the configuration of a UNITER. */
export const uniterSchema = z.strictObject({
  kind: z.literal('uniter'),
  text: z
    .strictObject({ ...bertTextShape, types: count.min(2, 'expected a type for words and one for regions') })
    .refine(knowsItsEnd, knownEnd)
    .refine(fitsItsPositions, fittingPositions),
  regions: z.strictObject({ features: count, places: count, count }),
  trunk: z.strictObject({ blocks: z.array(blockSchema).min(1) }),
  embedDim: count,
  heads: count,
  denseHeadDim: count,
  activation: z.enum(['gelu', 'gelu-tanh', 'quick-gelu']),
  normEpsilon: z.number().positive(),
  head: regionHeadSchema,
  ...tiesShape,
});
