import {
  type Interpolation,
  type PerChannel,
  type PictureGeometry,
  type PictureSize,
  mappedSides,
  pictureSizeOf,
  sidesOf,
} from '@winnow/core';
import { z } from 'zod';
import { cropShare, type SaidStatistics, deviations, imageNetStatistics, perChannel } from './normalisation';
import { type Prepared, pixels, scaledTo } from './prepared';

const interpolation = z.enum(['nearest', 'bilinear', 'bicubic', 'box', 'hamming', 'lanczos']).nullish();
const channels = z.int().positive();

/** timm says it of its weights; its older files have all that they say at the top. What else stands there is checked on import. */
const shape = {
  mean: perChannel.nullish(),
  std: deviations.nullish(),
  input_size: z.tuple([channels, pixels, pixels]).nullish(),
  crop_pct: cropShare.nullish(),
  interpolation,
  crop_mode: z.enum(['center', 'squash', 'border']).nullish(),
};
type Said = Omit<Partial<z.output<z.ZodObject<typeof shape>>>, keyof SaidStatistics> & SaidStatistics;

/** timm's where nothing is said (`timm.data.resolve_data_config` 1.0). */
const DEFAULT_SHARE = 0.875;

/** Python's, for levels of a mean. */
const rounded = (mean: number): number => Math.round(255 * mean);
const levels = ([red, green, blue]: PerChannel): PerChannel => [rounded(red), rounded(green), rounded(blue)];

/** As `timm.data.transforms_factory.transforms_imagenet_eval` prepares pictures. */
export function timmPreparation(said: Said): Prepared {
  const mean = said.mean ?? imageNetStatistics.mean;
  const std = said.std ?? imageNetStatistics.std;
  const share = said.crop_pct ?? DEFAULT_SHARE;
  const mode = said.crop_mode ?? 'center';
  const filter: Interpolation = said.interpolation ?? 'bicubic';
  const [, height, width] = said.input_size ?? [];
  const isSaid = height !== undefined && width !== undefined;
  const common = { interpolation: filter, arithmetic: 'pillow', halves: 'even' } as const;
  const geometry = (imageSize: PictureSize): PictureGeometry => ({
    ...common,
    resize: scaledTo(modes[mode], sidesOf(mappedSides(imageSize, (side) => Math.floor(side / share)))),
    ...(mode === 'border' ? { fill: levels(mean) } : {}),
  });
  return {
    imageSize: isSaid ? pictureSizeOf({ height, width }) : undefined,
    notes: [],
    at: (imageSize) => ({ mean, std, geometry: geometry(imageSize) }),
  };
}

/** timm's words for the ways of scaling. */
const modes = { center: 'shortest', squash: 'squash', border: 'longest' } as const;

/** `config.json` of timm; undefined for a configuration of others. */
export const timmConfiguration = z
  .looseObject({
    architecture: z.string().nullish(),
    pretrained_cfg: z.looseObject(shape).nullish(),
  })
  .transform(({ pretrained_cfg: inside, architecture, ...rest }, context): Prepared | undefined => {
    if (inside) return timmPreparation(inside);
    if (!architecture) return undefined;
    const top = z.looseObject(shape).safeParse(rest);
    if (top.success) return timmPreparation(top.data);
    for (const issue of top.error.issues)
      context.addIssue({ code: 'custom', path: issue.path, message: issue.message });
    return z.NEVER;
  });
