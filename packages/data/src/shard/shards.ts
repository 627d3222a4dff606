import { basename, dirname, resolve } from 'node:path';
import { open } from 'node:fs/promises';
import pLimit from 'p-limit';
import { counted } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { explained } from '../failure/system-failure';
import { visibly } from '../failure/visible';
import type { PictureContents } from '../identity/picture-contents';
import type { PictureCache } from '../picture/pack';
import type { PictureFiles } from '../picture/read';
import type { ShardFile } from './shard-files';
import { type ShardExample, shardIndex } from './shard-index';

/** An example, with the shard that it is in. */
export interface ExampleInShard extends ShardExample {
  /** The shard's path and the picture's name in it: what people are told, and a name of its own among all. */
  readonly path: string;
  readonly shard: ShardFile;
  /** The place of the shard among all. */
  readonly place: number;
}

/** Shards that have been looked through. */
export interface Shards {
  readonly name: string;
  readonly examples: readonly ExampleInShard[];
  readonly contents: PictureContents;
  readonly files: PictureFiles;
  /** Lines for a person on what is in the shards and not used. */
  readonly notes: readonly string[];
  /** The number of the shard of a picture. */
  shardOf(path: string): number;
}

/** Shards looked through at a time: they are read from front to end. */
const SHARDS_AT_A_TIME = 2;
/** Most examples of a dataset: each takes about half a kilobyte of memory. */
const MOST_EXAMPLES = 8_000_000;

/**
 * Looks through shards, each once for as long as it stays as it is: what they hold, and a SHA-256 of each picture.
 * @throws {DataError} as `shardIndex` does, and for more than eight million examples.
 */
export async function openShards(
  spec: string,
  shards: readonly ShardFile[],
  cache: PictureCache | undefined,
): Promise<Shards> {
  const limit = pLimit(SHARDS_AT_A_TIME);
  const indices = await Promise.all(shards.map(({ path }) => limit(() => shardIndex(path, cache))));
  const count = indices.reduce((sum, { examples }) => sum + examples.length, 0);
  if (count > MOST_EXAMPLES) {
    throw new DataError({
      expected: `at most ${MOST_EXAMPLES.toLocaleString('en')} pictures in ${spec}`,
      found: count.toLocaleString('en'),
      advice: 'Name fewer shards.',
    });
  }
  const examples = indices.flatMap((index, place) => {
    const shard = shards[place];
    if (shard === undefined) return [];
    return index.examples.map((example): ExampleInShard => ({
      ...example,
      path: `${shard.path}/${example.picture.name}`,
      shard,
      place,
    }));
  });
  const known = new Map(examples.map((example) => [example.path, example]));
  const found = (path: string): ExampleInShard => {
    const example = known.get(path);
    if (example === undefined) throw new RangeError(`expected a picture in a shard, got ${path}`);
    return example;
  };
  return {
    name: basename(resolve(spec)).replace(/\.tar$/i, ''),
    examples,
    contents: (paths) => Promise.resolve(paths.map((path) => found(path).hash)),
    files: { read: (path) => contentOf(found(path)) },
    notes: othersNote(indices.map(({ others }) => others)),
    shardOf: (path) => found(path).place,
  };
}

/** The file of a picture, out of its shard. @throws {DataError} when the shard has changed. */
async function contentOf({ path, shard, picture: { start, bytes } }: ExampleInShard): Promise<Buffer> {
  try {
    const file = await open(shard.path, 'r');
    try {
      const content = Buffer.allocUnsafeSlow(bytes);
      let filled = 0;
      while (filled < bytes) {
        const { bytesRead } = await file.read(content, filled, bytes - filled, start + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      if (filled === bytes) return content;
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw explained(cause, `the shard ${shard.path}`);
  }
  throw new DataError({
    expected: `the picture ${visibly(path)} of ${bytes.toLocaleString('en')} bytes`,
    found: 'a shard that has become shorter since it was looked through',
    advice: 'Wait until nobody writes to the data any more, and try again.',
  });
}

function othersNote(all: readonly Readonly<Record<string, number>>[]): string[] {
  const sums = new Map<string, number>();
  for (const others of all)
    for (const [extension, count] of Object.entries(others))
      sums.set(extension, (sums.get(extension) ?? 0) + count);
  if (sums.size === 0) return [];
  const parts = [...sums]
    .slice(0, 5)
    .map(
      ([extension, count]) =>
        `${counted(count, 'file')} ${extension === '' ? 'without an extension' : visibly(`.${extension}`)}`,
    );
  return [`passed over in the shards: ${parts.join(', ')}${sums.size > 5 ? ', …' : ''}`];
}

/** The folder in which shards lie. */
export const folderOf = ([first]: readonly ShardFile[]): string => dirname(first?.path ?? '.');
