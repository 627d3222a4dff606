import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ZodType, z } from 'zod';
import { only, side, wholeObject } from '../layouts/fields';
import { readJsonIfThere } from '../file/json-file';
import {
  type Preparation,
  SQUEEZED,
  interpolatedBy,
  preparationBy,
  preparationInside,
} from './image-processor';
import { type PictureNormalisation, cropShare, deviations, perChannel, showing } from './normalisation';

/** Stands beside the weights, as in Hugging Face's checkpoints. */
export const PREPROCESSOR_FILE = 'preprocessor_config.json';

const statisticsShape = { mean: perChannel.nullish(), std: deviations.nullish() };

function preparation(
  mean: PictureNormalisation['mean'] | null | undefined,
  std: PictureNormalisation['std'] | null | undefined,
  {
    imageSize,
    share,
    otherwise = [],
  }: {
    readonly imageSize?: number | null | undefined;
    readonly share?: number | null | undefined;
    readonly otherwise?: readonly string[];
  },
): Preparation | undefined {
  if (!mean || !std) return undefined;
  return { normalisation: { mean, std, ...showing(share) }, imageSize: imageSize ?? undefined, otherwise };
}

/** timm says it of its weights; its older files have all that they say at the top. What else stands there is checked on import. */
const timmShape = {
  ...statisticsShape,
  crop_pct: cropShare.nullish(),
  interpolation: z.string().nullish(),
  crop_mode: z.string().nullish(),
};
const timmOtherwise = ({
  interpolation,
  crop_mode: mode,
}: {
  readonly interpolation?: string | null | undefined;
  readonly crop_mode?: string | null | undefined;
}): string[] => [...squeezedBy(mode), ...interpolatedBy(interpolation)];

/** The sentence for a way to make squares; none for the usual one. */
const squeezedBy = (mode: string | null | undefined): string[] => {
  if (mode === 'squash') return [SQUEEZED];
  return mode === undefined || mode === null || mode === 'center' || mode === 'shortest'
    ? []
    : [
        `makes squares by ${mode}, here the middle of a picture is cut out: those that are not square are seen otherwise`,
      ];
};
const timm = z
  .looseObject({
    ...timmShape,
    architecture: z.string().nullish(),
    pretrained_cfg: z.looseObject(timmShape).nullish(),
  })
  .transform(({ pretrained_cfg: inside, mean, std, crop_pct: share, architecture, ...rest }) =>
    inside
      ? preparation(inside.mean, inside.std, { share: inside.crop_pct, otherwise: timmOtherwise(inside) })
      : preparation(architecture ? mean : undefined, std, { share, otherwise: timmOtherwise(rest) }),
  );

const openClip = z
  .looseObject({
    preprocess_cfg: wholeObject({
      understood: {
        ...statisticsShape,
        size: side('pictures').nullish(),
        interpolation: z.string().nullish(),
        resize_mode: z.string().nullish(),
      },
      refused: { mode: only('RGB', 'pictures of other channels are not supported') },
      immaterial: ['fill_color'],
    }).nullish(),
  })
  .transform(
    ({ preprocess_cfg: inside }) =>
      inside &&
      preparation(inside.mean, inside.std, {
        imageSize: inside.size,
        otherwise: [...squeezedBy(inside.resize_mode), ...interpolatedBy(inside.interpolation)],
      }),
  );

interface Place {
  readonly name: string;
  readonly what: string;
  readonly schema: ZodType<Preparation | undefined | null>;
}

/** Where it may be said, the first that says it first. */
const places: readonly Place[] = [
  { name: 'processor_config.json', what: 'the configuration of a processor', schema: preparationInside },
  { name: PREPROCESSOR_FILE, what: 'the configuration of an image processor', schema: preparationBy },
  { name: 'open_clip_config.json', what: 'a configuration of open_clip', schema: openClip },
  { name: 'config.json', what: 'a configuration', schema: timm },
];

/** How the pictures of a model are prepared, and where it is said. */
export interface Preprocessor extends Preparation {
  readonly file: string;
}

/**
 * Reads what the files beside the weights say of how pictures are prepared; undefined when they do not say what they
 * are normalised with.
 * @param folderOrFile Of a model of ours, or a checkpoint of Hugging Face, timm or open_clip.
 * @throws {FormatError} when one of them is corrupt, or says something that we do not do.
 */
export async function readPreprocessor(folderOrFile: string): Promise<Preprocessor | undefined> {
  const isFolder = (await stat(folderOrFile)).isDirectory();
  const folder = isFolder ? folderOrFile : dirname(folderOrFile);
  for (const { name, what, schema } of places) {
    const file = join(folder, name);
    const found = await readJsonIfThere(file, { schema, what });
    if (found?.normalisation !== undefined) return { ...found, file };
  }
  return undefined;
}

/** Like `readPreprocessor`, only what pictures are normalised with. */
export async function readNormalisation(folderOrFile: string): Promise<PictureNormalisation | undefined> {
  return (await readPreprocessor(folderOrFile))?.normalisation;
}

const normalised = ({ mean, std }: PictureNormalisation) => ({
  do_normalize: true,
  image_mean: mean,
  image_std: std,
});

const asText = (content: unknown): string => `${JSON.stringify(content, undefined, 2)}\n`;

/** The content of the file that says what pictures are normalised with, for our own reading. */
export const preprocessorConfig = (normalisation: PictureNormalisation): string =>
  asText({
    ...normalised(normalisation),
    ...(normalisation.shownShare === undefined ? {} : { crop_pct: normalisation.shownShare }),
  });

/** `PIL.Image.BICUBIC`. */
const BICUBIC = 3;

/**
 * The same for `transformers`, with all that our evaluation does: the shorter side is scaled to S by bicubic interpolation
 * and the middle S×S is cut out. Its processor of CLIP does just that, whatever the model; those of ViT and DeiT squeeze
 * a picture into a square instead.
 * @param imageSize S, in pixels.
 */
export const imageProcessorConfig = (normalisation: PictureNormalisation, imageSize: number): string =>
  asText({
    image_processor_type: 'CLIPImageProcessor',
    do_convert_rgb: true,
    do_resize: true,
    size: { shortest_edge: Math.round(imageSize / (normalisation.shownShare ?? 1)) },
    resample: BICUBIC,
    do_center_crop: true,
    crop_size: { height: imageSize, width: imageSize },
    do_rescale: true,
    rescale_factor: 1 / 255,
    ...normalised(normalisation),
  });
