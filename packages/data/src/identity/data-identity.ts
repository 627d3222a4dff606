import { createHash } from 'node:crypto';
import type { Json, Splits } from '@winnow/core';
import type { LabelledSplits } from '../labelled/classification';
import type { FoundPairs, PairSplits } from '../pairs/splits';
import type { PictureCache } from '../picture/pack';
import type { PictureContents } from './picture-contents';

/**
 * The content of data, wherever they lie: a SHA-256 each of the class names, of the pictures of each split in their
 * order with their labels, and of the texts. Two datasets with the same identity train and score alike.
 */
export type DataIdentity = Readonly<Record<string, string>>;

const splitNames = ['train', 'validation', 'test'] as const satisfies readonly (keyof Splits<unknown>)[];

export async function identityOfLabelled(
  { classes, splits, contents, shardOf }: LabelledSplits,
  cache: PictureCache | undefined,
): Promise<DataIdentity> {
  const paths = splitNames.flatMap((name) => splits[name].map(({ path }) => path));
  const contentOf = await lookedUp(paths, contents, cache);
  const parts = splitNames.map((name): [string, string] => [
    name,
    digestOf(splits[name].map(({ path, label }): Json => [contentOf(path), label])),
  ]);
  return { classes: digestOf(classes), ...Object.fromEntries(parts), ...shardsOf(paths, shardOf) };
}

export async function identityOfPairs(
  splits: PairSplits,
  { contents, shardOf }: Pick<FoundPairs, 'contents' | 'shardOf'>,
  cache: PictureCache | undefined,
): Promise<DataIdentity> {
  const paths = splitNames.flatMap((name) => splits[name].flatMap(({ pictures }) => pictures));
  const contentOf = await lookedUp(paths, contents, cache);
  const parts = splitNames.map((name): [string, string] => [
    name,
    digestOf(splits[name].map(({ pictures }): Json => pictures.map(contentOf))),
  ]);
  const texts = splitNames.map((name): Json => splits[name].map(({ texts }): Json => texts));
  return { ...Object.fromEntries(parts), texts: digestOf(texts), ...shardsOf(paths, shardOf) };
}

/** In which shard each picture lies: that decides the order of a training. */
const shardsOf = (paths: readonly string[], shardOf: LabelledSplits['shardOf']): DataIdentity =>
  shardOf === undefined ? {} : { shards: digestOf(paths.map(shardOf)) };

async function lookedUp(
  paths: readonly string[],
  contents: PictureContents,
  cache: PictureCache | undefined,
): Promise<(path: string) => string> {
  const found = await contents(paths, cache);
  const known = new Map(paths.map((path, place) => [path, found[place] ?? '']));
  return (path) => known.get(path) ?? '';
}

const digestOf = (items: readonly Json[]): string => {
  const hash = createHash('sha256');
  for (const item of items) hash.update(`${JSON.stringify(item)}\n`);
  return hash.digest('hex');
};
