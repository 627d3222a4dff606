import { dirname, join } from 'node:path';
import {
  type Json,
  type PicturePreparation,
  type PictureSize,
  canonicalJson,
  denseConfigOf,
  familyOf,
} from '@winnow/core';
import { DataError, type Tokenizer, openTokenizer } from '@winnow/data';
import { type Companions, PREPROCESSOR_FILE, preprocessorConfig, readBytesIfThere } from '@winnow/formats';
import type { OpenedModel } from './open-model';

/** Beside a saved model: it goes with the weights. */
export const TOKENIZER_FILE = 'tokenizer.json';

/** Files that a tokenizer of Hugging Face is made of: one that is all of it, pieces, or a vocabulary and its merges. */
const VOCABULARY_FILES = [TOKENIZER_FILE, 'vocab.json', 'merges.txt'] as const;
/** Files in which other programs look for more about a tokenizer. */
const TOKENIZER_CONFIGURATION = [
  'tokenizer_config.json',
  // The class that a SigLIP's configuration names reads nothing else.
  'spiece.model',
  'special_tokens_map.json',
  'added_tokens.json',
] as const;
const MOST_BYTES = 64 * 2 ** 20;

/**
 * The file beside a model that says how its pictures are prepared, where that is not the data's own way.
 * @param imageSize H and W of its pictures, in pixels.
 */
export const preprocessorFiles = (
  preparation: PicturePreparation | undefined,
  imageSize: PictureSize,
): Companions =>
  preparation === undefined ? {} : { [PREPROCESSOR_FILE]: preprocessorConfig(preparation, imageSize) };

/** The same file for a model that is open; none for one of texts. */
export function preprocessorOf({
  model,
  preparation,
}: Pick<OpenedModel, 'model' | 'preparation'>): Companions {
  const config = denseConfigOf(model);
  const { vision } = familyOf(config).towers(config);
  return vision === undefined ? {} : preprocessorFiles(preparation, vision.imageSize);
}

type WithTokenizer = Pick<OpenedModel, 'tokenizerPath'>;

/**
 * The tokenizer that stands beside a model, file by file, as it is; its `tokenizer.json` with all that other files beside it say
 * of how texts are read.
 * @throws {FormatError} when a file cannot be read.
 */
export async function tokenizerFiles(opened: WithTokenizer): Promise<Companions> {
  const files = await filesBeside(opened, [...VOCABULARY_FILES, ...TOKENIZER_CONFIGURATION]);
  const whole = files[TOKENIZER_FILE];
  if (whole === undefined || opened.tokenizerPath === undefined) return files;
  const tokenizer = await tokenizerIfRead(opened.tokenizerPath);
  const isWhole =
    tokenizer === undefined || isSameJson(tokenizer.file, JSON.parse(Buffer.from(whole).toString()));
  return isWhole ? files : { ...files, [TOKENIZER_FILE]: `${JSON.stringify(tokenizer.file)}\n` };
}

const isSameJson = (one: Json, other: Json): boolean => canonicalJson(one) === canonicalJson(other);

/** The tokenizer at a path; undefined where it is of a kind that we do not read. */
export async function tokenizerIfRead(path: string): Promise<Tokenizer | undefined> {
  try {
    return await openTokenizer(path);
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}

/**
 * Only what is said of the tokenizer for other programs.
 * @throws {FormatError} when a file cannot be read.
 */
export const tokenizerConfiguration = (opened: WithTokenizer): Promise<Companions> =>
  filesBeside(opened, TOKENIZER_CONFIGURATION);

async function filesBeside(
  { tokenizerPath }: WithTokenizer,
  names: readonly string[],
): Promise<Readonly<Record<string, Uint8Array>>> {
  if (tokenizerPath === undefined) return {};
  const folder = /\.(?:json|model)$/.test(tokenizerPath) ? dirname(tokenizerPath) : tokenizerPath;
  const found: Record<string, Uint8Array> = {};
  for (const name of names) {
    const bytes = await readBytesIfThere(join(folder, name), { mostBytes: MOST_BYTES });
    if (bytes !== undefined) found[name] = bytes;
  }
  return found;
}
