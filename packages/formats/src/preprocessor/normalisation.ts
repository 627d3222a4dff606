import type { PerChannel } from '@winnow/core';
import { z } from 'zod';

/**
 * Mean and deviation that pictures are normalised with, per channel (red, green, blue), for values in [0, 1]: (value −
 * mean) / std.
 */
export interface PictureNormalisation {
  readonly mean: PerChannel;
  readonly std: PerChannel;
}

/** The same, as far as a configuration says it. */
export interface SaidStatistics {
  readonly mean?: PerChannel | null | undefined;
  readonly std?: PerChannel | null | undefined;
}

/** As timm and some processors say it: the share of the scaled picture's side that is shown. */
export const cropShare = z.number().positive().max(1);

/** The normalisation of every CLIP that OpenAI published, and of most others. */
export const clipNormalisation: PictureNormalisation = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};
/** ImageNet's own. */
export const imageNetStatistics: PictureNormalisation = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};
/** Brings 0 … 1 to −1 … 1. */
export const halves: PictureNormalisation = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
export const unchanged: PictureNormalisation = { mean: [0, 0, 0], std: [1, 1, 1] };

/** One number stands for all channels. */
const spread = (value: unknown): unknown => (typeof value === 'number' ? [value, value, value] : value);

export const perChannel = z.preprocess(
  spread,
  z.tuple([z.number(), z.number(), z.number()], 'expected a number for each of three channels'),
);
export const deviations = z.preprocess(
  spread,
  z.tuple(
    [z.number().positive(), z.number().positive(), z.number().positive()],
    'expected a positive number for each of three channels',
  ),
);
