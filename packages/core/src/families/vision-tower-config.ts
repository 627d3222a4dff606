import { z } from 'zod';
import { type PictureSize, pictureSizeSchema, sidesOf, sizeText } from './picture-sides';
import type { TokenMerging } from '../layers/token-merging';
import type { BlockShape, TowerConfig } from '../layers/tower';
import type { Grid } from './bicubic';
import { blockSchema, count, mergingSchema, towerSchema } from './schemas';

/**
 * The parts that a distilled DeiT (Touvron et al., 2021) has more: `token` adds the distillation token, `head` adds the token and
 * its own classifier, whose logits are averaged with the class token's.
 */
export type Distillation = 'none' | 'token' | 'head';

/** The tokens that have positions: all but the registers (DINOv2 with registers), or the patches alone. */
export type Positioned = 'without-registers' | 'patches';

/** A vision transformer up to its last hidden states. */
export interface VisionTowerConfig {
  /** Size of the input, in pixels; its sides are multiples of the patch size. */
  readonly imageSize: PictureSize;
  readonly patchSize: number;
  readonly channels: number;
  readonly distillation: Distillation;
  /** Without it there is a class token, the first. */
  readonly classToken?: false;
  /** Register tokens, between class token and patches (Darcet et al., 2024); none without it. */
  readonly registers?: number;
  /** Without it every token has a position. */
  readonly positioned?: Positioned;
  /** As in CLIP: the embedded tokens are normalised before the first block. */
  readonly embeddingNorm: boolean;
  /** CLIP's patch projection has none. */
  readonly patchBias: boolean;
  readonly tower: TowerConfig;
  /** Like tokens are merged on the way; without it all go through every block. */
  readonly merging?: TokenMerging;
  /** A learned token looks at all others behind the last norm, and stands for the picture (SigLIP). */
  readonly attentionPool?: BlockShape;
}

/** Choices that a tower of a published size leaves open. */
export interface VisionTowerOptions {
  readonly imageSize: PictureSize;
  readonly patchSize: number;
  readonly channels?: number;
  readonly distillation?: Distillation;
}

interface Preset {
  readonly embedDim: number;
  readonly heads: number;
  readonly layers: number;
}

/** DeiT's published sizes, and a nano one for small pictures and quick trials. Head dimension 32 for nano, else 64. */
export const visionTransformerPresets = {
  nano: { embedDim: 96, heads: 3, layers: 4 },
  tiny: { embedDim: 192, heads: 3, layers: 12 },
  small: { embedDim: 384, heads: 6, layers: 12 },
  base: { embedDim: 768, heads: 12, layers: 12 },
} as const satisfies Record<string, Preset>;

export type VisionTransformerPreset = keyof typeof visionTransformerPresets;

/** Pictures of 4096 pixels in patches of 16. A layer of more would need a terabyte for its attention. */
const MOST_PATCHES = 2 ** 16;

/**
 * A dense DeiT of a published size, without its classifier, at any picture and patch size.
 * @throws {RangeError} when the picture is not a whole number of patches, or of too many.
 */
export function visionTowerConfig(
  preset: VisionTransformerPreset,
  { imageSize, patchSize, channels = 3, distillation = 'none' }: VisionTowerOptions,
): VisionTowerConfig {
  const { embedDim, heads, layers } = visionTransformerPresets[preset];
  const headDim = embedDim / heads;
  const config: VisionTowerConfig = {
    imageSize,
    patchSize,
    channels,
    distillation,
    embeddingNorm: false,
    patchBias: true,
    tower: {
      embedDim,
      heads,
      denseHeadDim: headDim,
      activation: 'gelu',
      causal: false,
      normEpsilon: 1e-6,
      blocks: Array.from({ length: layers }, () => ({ headDim, hiddenDim: 4 * embedDim })),
    },
  };
  const [rows, columns] = patchGrid(config);
  if (rows * columns > MOST_PATCHES) {
    throw new RangeError(
      `expected at most ${MOST_PATCHES} patches, got ${rows} × ${columns}: each looks at all others, so choose larger patches or smaller pictures`,
    );
  }
  return config;
}

type Patched = Pick<VisionTowerConfig, 'imageSize' | 'patchSize'>;

/**
 * Rows and columns of patches.
 * @throws {RangeError} when the picture is not a whole number of patches.
 */
export function patchGrid({ imageSize, patchSize }: Patched): Grid {
  const { height, width } = sidesOf(imageSize);
  const [rows, columns] = [height / patchSize, width / patchSize];
  if (!Number.isInteger(rows) || !Number.isInteger(columns) || rows < 1 || columns < 1) {
    throw new RangeError(
      `expected an image size that is a multiple of the patch size, got ${sizeText(imageSize)} px and patches of ${patchSize} px`,
    );
  }
  return [rows, columns];
}

/** N: all patches of a picture. */
export function patchCount(config: Patched): number {
  const [rows, columns] = patchGrid(config);
  return rows * columns;
}

/** Tokens that stand for the whole picture, the first ones: the class token and the distillation token, where there are any. */
export const pictureTokens = ({
  classToken,
  distillation,
}: Pick<VisionTowerConfig, 'classToken' | 'distillation'>): number =>
  (classToken === false ? 0 : 1) + (distillation === 'none' ? 0 : 1);

/** Tokens before the patches: those for the whole picture, and the registers. */
export const leadingTokens = (
  config: Pick<VisionTowerConfig, 'classToken' | 'distillation' | 'registers'>,
): number => pictureTokens(config) + (config.registers ?? 0);

/** Leading tokens that have a position. */
export function positionedTokens(config: VisionTowerConfig): number {
  if (config.positioned === undefined) return leadingTokens(config);
  return config.positioned === 'patches' ? 0 : pictureTokens(config);
}

/** T: patches and leading tokens, before any are merged. */
export function tokenCount(config: VisionTowerConfig): number {
  return patchCount(config) + leadingTokens(config);
}

/** Reads the configuration of a vision tower; `wholeGrid` checks what it says together. */
export const visionTowerShape = {
  imageSize: pictureSizeSchema,
  patchSize: count,
  channels: count,
  distillation: z.enum(['none', 'token', 'head']),
  classToken: z.literal(false).exactOptional(),
  registers: count.exactOptional(),
  positioned: z.enum(['without-registers', 'patches']).exactOptional(),
  // Files of version 0.1 do not name them.
  embeddingNorm: z.boolean().default(false),
  patchBias: z.boolean().default(true),
  tower: towerSchema,
  merging: mergingSchema.exactOptional(),
  attentionPool: blockSchema.exactOptional(),
};

export const isWholeGrid = ({ imageSize, patchSize }: Patched): boolean =>
  Object.values(sidesOf(imageSize)).every((side) => side % patchSize === 0);
/** Merged tokens stand in another order, which a token that looks back alone would see. */
export const mergesFreely = ({ merging, tower }: Pick<VisionTowerConfig, 'merging' | 'tower'>): boolean =>
  merging === undefined || !tower.causal;
export const causalMerging = {
  path: ['merging'],
  message: 'expected no merging of tokens in a tower whose tokens look back alone',
};

export const wholeGrid = { path: ['imageSize'], message: 'expected a multiple of the patch size' };
