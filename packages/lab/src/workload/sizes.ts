import type { TextTransformerPreset, VisionTransformerPreset } from '@winnow/core';

/** Sizes of new models by name. */
export const models = ['nano', 'tiny', 'small', 'base'] as const satisfies readonly VisionTransformerPreset[];
export const textModels = [
  'nano',
  'tiny',
  'small',
  'clip-base',
  'clip-large',
] as const satisfies readonly TextTransformerPreset[];
