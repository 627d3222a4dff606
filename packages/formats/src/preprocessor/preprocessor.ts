import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type PicturePreparation, type PictureSize, sizeText } from '@winnow/core';
import { type ZodType, z } from 'zod';
import { FormatError } from '../file/format-error';
import { readJsonIfThere } from '../file/json-file';
import type { Source } from '../layouts/layout';
import { preparationBy, preparationInside } from './image-processor';
import { openClipConfiguration, openClipPreparation } from './open-clip';
import type { PictureNormalisation } from './normalisation';
import { type Prepared, isTooLong } from './prepared';
import { processorOfModel } from './processor-kinds';
import { timmConfiguration, timmPreparation } from './timm';

/** Stands beside the weights, as in Hugging Face's checkpoints. */
export const PREPROCESSOR_FILE = 'preprocessor_config.json';

interface Place {
  readonly name: string;
  readonly what: string;
  /** @param usual The class of `transformers` that prepares the pictures of such a model. */
  schema(usual: string | undefined): ZodType<Prepared | undefined>;
}

/** Where it may be said, the first that says it first. */
const places: readonly Place[] = [
  { name: 'processor_config.json', what: 'the configuration of a processor', schema: preparationInside },
  { name: PREPROCESSOR_FILE, what: 'the configuration of an image processor', schema: preparationBy },
  {
    name: 'open_clip_config.json',
    what: 'a configuration of open_clip',
    schema: () => openClipConfiguration,
  },
  { name: 'config.json', what: 'a configuration', schema: () => timmConfiguration },
];

const modelTypeShape = z.looseObject({ model_type: z.string().nullish() });

/** The preparation of a model's pictures, and who says so. */
export interface Preprocessor extends Prepared {
  /** The file that says it; undefined where it is the library's usual way. */
  readonly file: string | undefined;
  /** The library's name for its usual way, where no file says it. */
  readonly usual: string | undefined;
}

/**
 * Reads what the files beside the weights say of how pictures are prepared; undefined when they do not say it.
 * @param folderOrFile Of a model of ours, or a checkpoint of Hugging Face, timm or open_clip.
 * @throws {FormatError} when one of them is corrupt, or says something that we do not do; `at` when its pictures would become too
 * large.
 */
export async function readPreprocessor(folderOrFile: string): Promise<Preprocessor | undefined> {
  const isFolder = (await stat(folderOrFile)).isDirectory();
  const folder = isFolder ? folderOrFile : dirname(folderOrFile);
  const model = await readJsonIfThere(join(folder, 'config.json'), {
    schema: modelTypeShape,
    what: 'a configuration',
  });
  const usual = processorOfModel(model?.model_type);
  for (const { name, what, schema } of places) {
    const file = join(folder, name);
    const found = await readJsonIfThere(file, { schema: schema(usual), what });
    if (found !== undefined) return { ...bounded(found, file), file, usual: undefined };
  }
  if (usual === undefined) return undefined;
  const defaults = preparationBy(usual).parse({});
  return defaults && { ...bounded(defaults, folder), file: undefined, usual };
}

const bounded = (prepared: Prepared, file: string): Prepared => ({
  ...prepared,
  at: (imageSize) => {
    const preparation = proportioned(prepared, imageSize, file);
    if (!isTooLong(preparation)) return preparation;
    throw new FormatError(
      `${file}: for a model of ${sizeText(imageSize)} px it scales pictures to more than 4096 px: choose another size or share to cut out`,
    );
  },
});

function proportioned(prepared: Prepared, imageSize: PictureSize, file: string): PicturePreparation {
  try {
    return prepared.at(imageSize);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FormatError(`${file}: for a model of ${sizeText(imageSize)} px: ${error.message}`);
  }
}

/**
 * The way in which a library prepares pictures where no file says anything; undefined for Hugging Face, whose way depends on the
 * type of the model.
 * @param normalisation Of the layout, where it has one of its own.
 */
export function usualPreprocessor(
  source: Source,
  normalisation: PictureNormalisation | undefined,
): Preprocessor | undefined {
  const own = normalisation ?? {};
  switch (source) {
    case 'Hugging Face':
      return undefined;
    case 'timm':
      return { ...timmPreparation(own), file: undefined, usual: 'timm' };
    case 'open_clip':
      return { ...openClipPreparation(own), imageSize: undefined, file: undefined, usual: 'open_clip' };
    default:
      return source satisfies never;
  }
}

/** Like `readPreprocessor`, only the preparation for a model of pictures of some size. */
export async function readPreparation(
  folderOrFile: string,
  imageSize: PictureSize,
): Promise<PicturePreparation | undefined> {
  return (await readPreprocessor(folderOrFile))?.at(imageSize);
}
