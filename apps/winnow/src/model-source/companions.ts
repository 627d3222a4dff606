import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  PREPROCESSOR_FILE,
  type PictureNormalisation,
  preprocessorConfig,
  writeAtomically,
} from '@winnow/formats';
import type { OpenedModel } from './open-model';

/** Beside a saved model: it goes with the weights. */
export const TOKENIZER_FILE = 'tokenizer.json';

/** The file beside a model that says what its pictures are normalised with, where that is not the data's own way. */
export const preprocessorFiles = (normalisation?: PictureNormalisation): Readonly<Record<string, string>> =>
  normalisation === undefined ? {} : { [PREPROCESSOR_FILE]: preprocessorConfig(normalisation) };

/** Writes what stands beside a model into another folder. */
export async function copyCompanions(
  folder: string,
  { tokenizerPath, normalisation }: Pick<OpenedModel, 'tokenizerPath' | 'normalisation'>,
): Promise<void> {
  if (tokenizerPath?.endsWith('.json') === true) await copyFile(tokenizerPath, join(folder, TOKENIZER_FILE));
  for (const [name, content] of Object.entries(preprocessorFiles(normalisation)))
    await writeAtomically(join(folder, name), content);
}
