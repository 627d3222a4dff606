import type { DenseConfig } from './model';
import {
  type VisionTowerConfig,
  type VisionTowerOptions,
  type VisionTransformerPreset,
  visionTowerConfig,
} from './vision-tower-config';

export interface VisionTransformerConfig extends VisionTowerConfig, DenseConfig {
  readonly kind: 'vision-transformer';
  readonly classes: number;
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
