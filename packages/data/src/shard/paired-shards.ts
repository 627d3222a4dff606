import { counted } from '@winnow/core';
import type { FoundPairs } from '../pairs/splits';
import { DataError } from '../failure/data-error';
import { firstTen } from '../failure/listing';
import { visibly } from '../failure/visible';
import type { PictureCache } from '../picture/pack';
import { type ShardFile } from './shard-files';
import { shardIndex } from './shard-index';
import { openShards } from './shards';

/**
 * Pictures with texts in shards: `.txt`, or `caption` (or `text`) in `.json`. Splits are those of the shards' names.
 * @throws {DataError} when pictures have no text, or a blank one; and as `shardIndex` does.
 */
export async function pairedShards(
  spec: string,
  shards: readonly ShardFile[],
  cache: PictureCache | undefined,
): Promise<FoundPairs> {
  const { name, examples, contents, files, notes, shardOf } = await openShards(spec, shards, cache);
  const without = examples.filter(({ caption = '' }) => caption === '');
  if (without.length > 0) {
    throw new DataError({
      expected: `a text for every picture in ${spec}: a file of its name with .txt, or a caption in .json`,
      found: `${counted(without.length, 'picture')} without:${firstTen(without.map(({ path }) => visibly(path)))}\n`,
      advice: 'Add them; shards with classes (.cls) are for --task classification.',
    });
  }
  const part = (wanted: 'train' | 'validation' | 'test') =>
    examples.flatMap(({ path, caption, shard: { split = 'train' } }) =>
      split === wanted && caption !== undefined ? [{ pictures: [path], texts: [caption] }] : [],
    );
  const splits = { train: part('train'), validation: part('validation'), test: part('test') };
  return { name, notes, splits, contents, files, shardOf };
}

/** Whether shards hold texts and no classes, by the first of them. @throws {DataError} as `shardIndex` does. */
export async function areTexts([first]: readonly ShardFile[]): Promise<boolean> {
  if (first === undefined) return false;
  const { examples } = await shardIndex(first.path, undefined);
  return (
    examples.every(({ label }) => label === undefined) &&
    examples.some(({ caption }) => caption !== undefined)
  );
}
