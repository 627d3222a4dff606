import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Splits } from '@winnow/core';
import { counted } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { firstTen } from '../failure/listing';
import { visibly } from '../failure/visible';
import { entriesOf, kindAt } from '../folder/entries';
import { isSplitName, spellings } from '../folder/split-names';

type SplitName = keyof Splits<unknown>;

/** A shard, and the split that its name or its folder says. */
export interface ShardFile {
  readonly path: string;
  readonly split: SplitName | undefined;
}

const RANGE = /\{(\d{1,9})\.\.(\d{1,9})\}/;
const MOST_SHARDS = 100_000;

/** Whether a spec names several shards at once: `shard-{0000..0123}.tar`. */
const isPattern = (spec: string): boolean => RANGE.test(spec);

/** The part of a spec that must be there: the folder of a pattern, anything else as it is. */
function placeOf(spec: string): string {
  const at = spec.search(RANGE);
  return at < 0 ? spec : dirname(`${spec.slice(0, at)}x`);
}

/** Whether there is anything at a path, or in the folder of a pattern of shards. */
export const isDataAt = (spec: string): boolean => existsSync(placeOf(spec));

/** All names of a pattern: numbers of a range have as many digits as its beginning. @throws {DataError} for too many. */
function expanded(pattern: string): string[] {
  const range = RANGE.exec(pattern);
  const [whole = '', first = '', last = ''] = range ?? [];
  if (range === null) return [pattern];
  const [begin, end] = [Number(first), Number(last)];
  const refuse = (found: string): DataError =>
    new DataError({
      expected: `1 to ${MOST_SHARDS.toLocaleString('en')} shards in ${pattern}`,
      found,
      advice: 'Say the first and the last number, like shard-{0000..0123}.tar.',
    });
  if (end < begin) throw refuse(`the range ${whole}, which ends before it begins`);
  if (end - begin >= MOST_SHARDS) throw refuse((end - begin + 1).toLocaleString('en'));
  const [before, after] = [pattern.slice(0, range.index), pattern.slice(range.index + whole.length)];
  const found = Array.from({ length: end - begin + 1 }, (_, place) =>
    expanded(`${before}${String(begin + place).padStart(first.length, '0')}${after}`),
  ).flat();
  if (found.length > MOST_SHARDS) throw refuse(found.length.toLocaleString('en'));
  return found;
}

const TAR = /\.tar$/i;
const PACKED_TAR = /\.(?:tar\.\w+|tgz|tbz2?|txz)$/i;

/** The split in a name, as one of its words: imagenet-train-0001.tar. */
function splitIn(name: string): SplitName | undefined {
  const words = name.toLowerCase().split(/[^a-z]+/);
  if (words.includes('train') || words.includes('training')) return 'train';
  if (words.includes('test')) return 'test';
  const validation: readonly string[] = spellings.validation;
  return words.some((word) => validation.includes(word)) ? 'validation' : undefined;
}

const splitOfFolder = (name: string): SplitName =>
  name === 'train' ? 'train' : name === 'test' ? 'test' : 'validation';

/**
 * The shards that a spec names: a pattern (`folder/shard-{0000..0123}.tar`), a tar archive, or a folder of archives, right in it or in
 * folders called as splits are. Their order is that of the names.
 * @returns undefined where it names something else.
 * @throws {DataError} when shards are missing, are packed, or some say a split and others do not.
 */
export async function shardFiles(spec: string): Promise<readonly ShardFile[] | undefined> {
  const found = await namedShards(spec);
  if (found === undefined) return undefined;
  const without = found.filter(({ split }) => split === undefined);
  if (without.length > 0 && without.length < found.length) {
    throw new DataError({
      expected: `a split in the name of every shard of ${spec}, or in none`,
      found: `${counted(without.length, 'shard')} without:${firstTen(without.map(({ path }) => visibly(basename(path))))}\n`,
      advice: 'Put them into folders train, validation and test, or rename them (train-0000.tar).',
    });
  }
  return found;
}

async function namedShards(spec: string): Promise<readonly ShardFile[] | undefined> {
  const named = (path: string): ShardFile => ({ path, split: splitIn(basename(path)) });
  if (isPattern(spec)) {
    if (PACKED_TAR.test(spec)) throw refusePacked(spec, [spec]);
    if (!TAR.test(spec)) return undefined;
    const paths = expanded(spec);
    const missing = paths.filter((path) => !existsSync(path));
    if (missing.length > 0) {
      throw new DataError({
        expected: `the shards that ${spec} names`,
        found: `${missing.length} that are not there:${firstTen(missing.map(visibly))}\n`,
        advice: 'Put them there, or say the numbers of those that are.',
      });
    }
    return paths.map(named);
  }
  const kind = await kindAt(spec);
  if (kind === 'file') return TAR.test(spec) ? [named(spec)] : undefined;
  if (kind !== 'folder') return undefined;
  const entries = await entriesOf(spec);
  const files = entries.filter((entry) => entry.kind === 'file').map(({ path }) => path);
  const folders = entries.filter((entry) => entry.kind === 'folder');
  if (folders.length === 0) return shardsAmong(files, spec, named);
  const inSplits: ShardFile[] = [];
  for (const folder of folders.filter(({ name }) => isSplitName(name))) {
    const below = (await entriesOf(folder.path)).filter((entry) => entry.kind === 'file');
    const split = splitOfFolder(folder.name);
    const paths = below.map(({ path }) => path);
    inSplits.push(...(shardsAmong(paths, join(spec, folder.name), (path) => ({ path, split })) ?? []));
  }
  return inSplits.length === 0 ? undefined : inSplits;
}

function shardsAmong(
  files: readonly string[],
  folder: string,
  named: (path: string) => ShardFile,
): readonly ShardFile[] | undefined {
  const shards = files.filter((path) => TAR.test(path));
  if (shards.length > 0) return shards.map(named);
  const packed = files.filter((path) => PACKED_TAR.test(path));
  if (packed.length > 0) throw refusePacked(folder, packed);
  return undefined;
}

const refusePacked = (where: string, packed: readonly string[]): DataError =>
  new DataError({
    expected: `shards as plain tar archives in ${where}`,
    found: `${counted(packed.length, 'archive')} that ${packed.length === 1 ? 'is' : 'are'} packed once more:${firstTen(packed.map((path) => visibly(basename(path))))}\n`,
    advice: 'Unpack them to .tar: pictures are read in any order, and are packed themselves.',
  });
