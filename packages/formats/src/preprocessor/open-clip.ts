import type { PerChannel, PictureGeometry, PicturePreparation, PictureResize } from '@winnow/core';
import { z } from 'zod';
import { only, side, wholeObject } from '../layouts/fields';
import { clipNormalisation, type SaidStatistics, deviations, perChannel } from './normalisation';
import { type Prepared, inProportion, pixels } from './prepared';

const level = z.int().min(0).max(255);
const fillColour = z
  .union([level.transform((grey): PerChannel => [grey, grey, grey]), z.tuple([level, level, level])])
  .nullish();

const preprocessing = wholeObject({
  understood: {
    mean: perChannel.nullish(),
    std: deviations.nullish(),
    size: side('pictures').pipe(pixels).nullish(),
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

/** open_clip's size where nothing is said (`PreprocessCfg`). */
const DEFAULT_SIZE = 224;

/** As `open_clip.transform.image_transform` prepares pictures for evaluation (open_clip 2.32). */
export function openClipPreparation(said: Said): Prepared {
  const native = said.size ?? DEFAULT_SIZE;
  const mode = said.resize_mode ?? 'shortest';
  const preparation: PicturePreparation = {
    mean: said.mean ?? clipNormalisation.mean,
    std: said.std ?? clipNormalisation.std,
  };
  const geometry: PictureGeometry = {
    resize: resizeBy(mode, native),
    interpolation: said.interpolation === 'bilinear' ? 'bilinear' : 'bicubic',
    arithmetic: 'pillow',
    halves: 'even',
    ...(mode === 'longest' && said.fill_color ? { fill: said.fill_color } : {}),
  };
  return { imageSize: said.size ?? undefined, notes: [], at: inProportion(preparation, geometry, native) };
}

function resizeBy(mode: 'shortest' | 'longest' | 'squash', edge: number): PictureResize {
  switch (mode) {
    case 'shortest':
      return { kind: 'shortest', edge };
    case 'squash':
      return { kind: 'squash', height: edge, width: edge };
    case 'longest':
      return { kind: 'longest', edge };
    default:
      return mode satisfies never;
  }
}

/** `open_clip_config.json`. */
export const openClipConfiguration = z
  .looseObject({ preprocess_cfg: preprocessing.nullish() })
  .transform(({ preprocess_cfg: inside }): Prepared => openClipPreparation(inside ?? {}));
