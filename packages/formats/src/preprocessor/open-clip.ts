import { type PerChannel, type PictureGeometry, type PictureSize, sidesOf } from '@winnow/core';
import { z } from 'zod';
import { only, pictureSize, wholeObject } from '../layouts/fields';
import { clipNormalisation, type SaidStatistics, deviations, perChannel } from './normalisation';
import { type Prepared, areBounded, scaledTo, tooLong } from './prepared';

const level = z.int().min(0).max(255);
const fillColour = z
  .union([level.transform((grey): PerChannel => [grey, grey, grey]), z.tuple([level, level, level])])
  .nullish();

const preprocessing = wholeObject({
  understood: {
    mean: perChannel.nullish(),
    std: deviations.nullish(),
    size: pictureSize.refine(areBounded, tooLong).nullish(),
    // Of `random`, evaluation makes bicubic.
    interpolation: z.enum(['bicubic', 'bilinear', 'random']).nullish(),
    resize_mode: z.enum(['shortest', 'longest', 'squash']).nullish(),
    fill_color: fillColour,
  },
  refused: { mode: only('RGB', 'pictures of other channels are not supported') },
  immaterial: [],
});
type Said = SaidStatistics &
  Pick<Partial<z.output<typeof preprocessing>>, 'size' | 'interpolation' | 'resize_mode' | 'fill_color'>;

/** As `open_clip.transform.image_transform` prepares pictures for evaluation (open_clip 2.32). */
export function openClipPreparation(said: Said): Prepared {
  const mode = said.resize_mode ?? 'shortest';
  const statistics = {
    mean: said.mean ?? clipNormalisation.mean,
    std: said.std ?? clipNormalisation.std,
  };
  const geometry = (imageSize: PictureSize): PictureGeometry => ({
    resize: scaledTo(mode, sidesOf(imageSize)),
    interpolation: said.interpolation === 'bilinear' ? 'bilinear' : 'bicubic',
    arithmetic: 'pillow',
    halves: 'even',
    ...(mode === 'longest' && said.fill_color ? { fill: said.fill_color } : {}),
  });
  return {
    imageSize: said.size ?? undefined,
    notes: [],
    at: (imageSize) => ({ ...statistics, geometry: geometry(imageSize) }),
  };
}

/** `open_clip_config.json`. */
export const openClipConfiguration = z
  .looseObject({ preprocess_cfg: preprocessing.nullish() })
  .transform(({ preprocess_cfg: inside }): Prepared => openClipPreparation(inside ?? {}));
