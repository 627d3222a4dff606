import type { DenseConfig } from './model';
import {
  type VisionTowerConfig,
  type VisionTowerOptions,
  type VisionTransformerPreset,
  visionTowerConfig,
} from './vision-tower-config';

/** The states that the head reads: the mean of the patches', or the class token's and that mean side by side (DINOv2). */
export type HeadInput = 'mean' | 'class-and-mean';

export interface VisionTransformerConfig extends VisionTowerConfig, DenseConfig {
  readonly kind: 'vision-transformer';
  readonly classes: number;
  /** Without it the head reads the class token, or what is pooled where there is attention pooling. */
  readonly headInput?: HeadInput;
  /** As timm's `fc_norm`: the last norm is that of the mean, not of the tokens. */
  readonly normAfterMean?: true;
}

export interface VisionTransformerOptions extends VisionTowerOptions {
  readonly classes: number;
}

/**
 * The configuration of a dense DeiT of a published size at any picture and patch size.
 * @throws {RangeError} when the picture is not a whole number of patches.
 */
export function visionTransformerConfig(
  preset: VisionTransformerPreset,
  { classes, ...options }: VisionTransformerOptions,
): VisionTransformerConfig {
  return { kind: 'vision-transformer', classes, ...visionTowerConfig(preset, options) };
}
