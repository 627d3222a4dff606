import { readJson } from '@winnow/formats';
import { UserError } from '@winnow/core';
import { z } from 'zod';
import { type HubName, hubText } from './hub-name';

/** A file of a model on the Hub, as it is listed. */
export const hubFile = z.object({
  type: z.string(),
  path: z.string().max(1024),
  size: z.int().nonnegative(),
  /** Git's own hash of the file, or of the pointer to it. */
  oid: z.string().regex(/^[0-9a-f]{40}$/),
  /** The SHA-256 of the content of a file that Git does not hold itself. */
  lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.int().nonnegative() }).optional(),
});
export type HubFile = z.output<typeof hubFile>;

/** Size of the file itself, which Git may only point to. */
export const sizeOf = ({ size, lfs }: HubFile): number => lfs?.size ?? size;

/** Files beside the weights that a model is read by. */
export const COMPANIONS = [
  'config.json',
  'open_clip_config.json',
  'structure.json',
  'preprocessor_config.json',
  'processor_config.json',
  'tokenizer.json',
  'spiece.model',
  'vocab.json',
  'merges.txt',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
] as const;
/** One of these says what kind of model it is. */
export const CONFIGURATIONS: readonly string[] = ['config.json', 'open_clip_config.json', 'structure.json'];
const SHARD_INDEX = 'model.safetensors.index.json';
/** The first of these that there is has the weights: the order in which a folder is read. */
export const WEIGHTS: readonly string[] = ['model.safetensors', SHARD_INDEX, 'open_clip_model.safetensors'];

/** Companions are read whole, as the readers of the format do. */
const MOST_COMPANION_BYTES = 2 ** 26;
const MOST_SHARDS = 1000;
const OTHER_WEIGHTS = /\.(?:bin|pt|pth|ckpt|pkl|pickle|h5|msgpack|onnx|safetensors)$/;

/** The files of a listing that a model is read by; the weights, or the index of their shards, last. */
export interface ChosenFiles {
  readonly files: readonly HubFile[];
  readonly weights: HubFile;
}

/** @throws {UserError} when there are no weights in safetensors, or a companion is too large to be one. */
export function chosenFrom(listing: readonly HubFile[], name: HubName): ChosenFiles {
  const byPath = new Map(listing.filter(({ type }) => type === 'file').map((file) => [file.path, file]));
  const [weights] = found(WEIGHTS, byPath);
  if (weights === undefined) {
    const others = [...byPath.keys()].filter((path) => OTHER_WEIGHTS.test(path)).slice(0, 3);
    throw new UserError(
      `${hubText(name)}: expected weights in ${WEIGHTS[0]}, got ${others.length === 0 ? 'none' : others.join(', ')}; ` +
        "pickles can run code and are never opened: look for a revision with safetensors, or have the model's owner convert it",
    );
  }
  const files = found(COMPANIONS, byPath);
  for (const file of weights.path === SHARD_INDEX ? [...files, weights] : files) {
    if (sizeOf(file) > MOST_COMPANION_BYTES)
      throw new UserError(
        `${hubText(name)}: ${file.path}: expected at most ${MOST_COMPANION_BYTES} bytes, got ${sizeOf(file)}`,
      );
  }
  return { files, weights };
}

const found = (names: readonly string[], byPath: ReadonlyMap<string, HubFile>): HubFile[] =>
  names.flatMap((name) => byPath.get(name) ?? []);

/** Part of `model.safetensors.index.json`. */
const shardIndex = z.object({
  weight_map: z.record(
    z.string(),
    z.string().regex(/^\w[\w.-]{0,255}\.safetensors$/, 'expected the name of a safetensors file'),
  ),
});

export const isShardIndex = (name: string): boolean => name === SHARD_INDEX;

/**
 * Names of the files that an index names.
 * @throws {FormatError} when it is none, or names something else than files beside it. @throws {UserError} for too many.
 */
export async function shardsIn(file: string): Promise<string[]> {
  const { weight_map: placeOf } = await readJson(file, { schema: shardIndex, what: 'an index of weights' });
  const names = [...new Set(Object.values(placeOf))].sort();
  if (names.length > MOST_SHARDS)
    throw new UserError(`${file}: expected at most ${MOST_SHARDS} files of weights, got ${names.length}`);
  return names;
}

/** The shards in a listing. @throws {UserError} naming one that is not there. */
export function shardsFrom(names: readonly string[], listing: readonly HubFile[], name: HubName): HubFile[] {
  return names.map((path) => {
    const file = listing.find((file) => file.type === 'file' && file.path === path);
    if (file !== undefined) return file;
    throw new UserError(`${hubText(name)}: ${SHARD_INDEX} names ${path}, which is not among the files`);
  });
}
