import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError, canonicalJson } from '@winnow/core';
import { contentHashes } from '@winnow/data';
import { FormatError, readJson } from '@winnow/formats';
import { z } from 'zod';
import { placeOfModel } from './hub-model';
import { cacheFolder, pictureCacheIn } from '../picture-cache/picture-cache';

const STRUCTURE = 'structure.json';
/** Files of a model folder of ours beside the structure file, which has the SHA-256 of the weights. */
const COMPANIONS = [
  'tokenizer.json',
  'spiece.model',
  'vocab.json',
  'merges.txt',
  'preprocessor_config.json',
  'regions.json',
];
/** Files beside a lone file of weights that say what it is. */
const CONFIGURATIONS = ['config.json', 'open_clip_config.json', 'processor_config.json'];
/** Names of the files of a checkpoint: its shards, configurations and tokenizer. */
const PARTS = /\.(?:safetensors|json)$|^merges\.txt$|^spiece\.model$/;

/**
 * SHA-256 of all that a model consists of, wherever it lies and wherever it came from.
 * @param named Its path, or its name on the Hub.
 * @throws {UserError} when there is nothing. @throws {DataError} when a file cannot be read.
 */
export async function modelDigest(named: string): Promise<string> {
  const { path, files: own } = await placeOfModel(named);
  if (!existsSync(path)) throw new UserError(`there is no model or run at ${path}`);
  const saved = [join(path, 'model'), path].find((folder) => existsSync(join(folder, STRUCTURE)));
  const hash = createHash('sha256');
  if (saved !== undefined) hash.update((await structureIn(saved)) ?? '');
  const files = saved === undefined ? await partsAt(path, own) : COMPANIONS.map((name) => join(saved, name));
  const present = files.filter((file) => existsSync(file));
  const name = resolve(path);
  const hashes = await contentHashes(present, { cache: pictureCacheIn(cacheFolder()), name });
  present.forEach((file, place) => hash.update(JSON.stringify([basename(file), hashes[place]])));
  return hash.digest('hex');
}

const structure = z.record(z.string(), z.json());

/**
 * Reads what a structure file says, except where the model came from; nothing of a broken one, which its reader will
 * refuse.
 */
async function structureIn(folder: string): Promise<string | undefined> {
  try {
    const what = 'the structure of a model';
    const { origin: _, ...rest } = await readJson(join(folder, STRUCTURE), { schema: structure, what });
    return canonicalJson(rest);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/**
 * The files of a checkpoint: of its folder, or a lone file with the companions that lie beside it.
 * @param own Their names, where it is known which they are.
 */
async function partsAt(path: string, own?: readonly string[]): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) {
    const beside = [...CONFIGURATIONS, ...COMPANIONS].map((name) => join(dirname(path), name));
    return [path, ...beside.filter((file) => file !== path)];
  }
  const names = own ?? (await readdir(path));
  return names
    .filter((name) => PARTS.test(name))
    .sort()
    .map((name) => join(path, name));
}
