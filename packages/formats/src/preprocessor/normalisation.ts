import { z } from 'zod';

/**
 * Mean and deviation that pictures are normalised with, per channel (red, green, blue), for values in [0, 1]: (value −
 * mean) / std.
 */
export interface PictureNormalisation {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  /**
   * Share of a picture's shorter side that evaluation shows: it is scaled to S / share, and the middle S×S is cut out. All
   * of it where nothing is said.
   */
  readonly shownShare?: number;
}

/** The share as a part of a normalisation; nothing for all of a picture. */
export const showing = (share: number | null | undefined): Pick<PictureNormalisation, 'shownShare'> =>
  share === undefined || share === null || share >= 1 ? {} : { shownShare: share };

/** As timm and some processors say it. */
export const cropShare = z.number().positive().max(1);

/** The normalisation of every CLIP that OpenAI published, and of most others. */
export const clipNormalisation: PictureNormalisation = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};
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
