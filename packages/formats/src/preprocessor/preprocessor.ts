import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ZodType, z } from 'zod';
import { parseJson } from '../file/json';
import { readBytesIfThere } from '../file/read-file';

/** What pictures are normalised with, per channel (red, green, blue), for values in [0, 1]: (value − mean) / std. */
export interface PictureNormalisation {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** Stands beside the weights, as in Hugging Face's checkpoints. */
export const PREPROCESSOR_FILE = 'preprocessor_config.json';

/** Of every CLIP that OpenAI published, and of most others. */
export const clipNormalisation: PictureNormalisation = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};
const unchanged: PictureNormalisation = { mean: [0, 0, 0], std: [1, 1, 1] };

const perChannel = z.tuple(
  [z.number(), z.number(), z.number()],
  'expected a number for each of three channels',
);
const deviations = z.tuple(
  [z.number().positive(), z.number().positive(), z.number().positive()],
  'expected a positive number for each of three channels',
);

const huggingFace = z
  .object({
    do_normalize: z.boolean().default(true),
    image_mean: perChannel.optional(),
    image_std: deviations.optional(),
  })
  .transform(({ do_normalize: isNormalised, image_mean: mean, image_std: std }) => {
    if (!isNormalised) return unchanged;
    return mean === undefined || std === undefined ? undefined : { mean, std };
  });
const statistics = z
  .object({ mean: perChannel.optional(), std: deviations.optional() })
  .transform(({ mean, std }) => (mean === undefined || std === undefined ? undefined : { mean, std }));
const timm = z
  .object({ pretrained_cfg: statistics.optional() })
  .transform(({ pretrained_cfg: found }) => found);
const openClip = z
  .object({ preprocess_cfg: statistics.optional() })
  .transform(({ preprocess_cfg: found }) => found);

/** Where it may be said, the first that says it first. */
const places: readonly (readonly [file: string, schema: ZodType<PictureNormalisation | undefined>])[] = [
  [PREPROCESSOR_FILE, huggingFace],
  ['open_clip_config.json', openClip],
  ['config.json', timm],
];

/**
 * What the files beside the weights say that pictures are normalised with; undefined when they do not say it.
 * @param folderOrFile Of a model of ours, or a checkpoint of Hugging Face, timm or open_clip.
 * @throws {FormatError} when one of them is corrupt, or says something else than a number per channel.
 */
export async function readNormalisation(folderOrFile: string): Promise<PictureNormalisation | undefined> {
  const isFolder = (await stat(folderOrFile)).isDirectory();
  const folder = isFolder ? folderOrFile : dirname(folderOrFile);
  for (const [name, schema] of places) {
    const file = join(folder, name);
    const bytes = await readBytesIfThere(file);
    const found = bytes && parseJson(file, bytes, schema);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The content of the file that says it. */
export const preprocessorConfig = ({ mean, std }: PictureNormalisation): string =>
  `${JSON.stringify({ do_normalize: true, image_mean: mean, image_std: std }, undefined, 2)}\n`;
