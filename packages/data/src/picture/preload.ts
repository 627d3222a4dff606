import { createHash } from 'node:crypto';
import type { Splits } from '@winnow/core';
import { DataError } from '../failure/data-error';
import type { PictureContents } from '../identity/data-identity';
import { type PictureCache, packed, unpacked } from './pack';
import type { Picture } from './picture';
import type { PreparedPictures } from './prepared';

/** Decodings asked for at a time: enough to keep libvips' threads busy, few enough to bound memory. */
const LOADS_IN_FLIGHT = 64;
const PROBLEMS_LISTED = 10;
/** Fewer pictures are decoded as fast as they are looked for, and more bytes are not worth a second copy on the disk. */
const FEWEST_CACHED = 500;
const MOST_BYTES_CACHED = 256 * 1024 * 1024;

/** A picture file, and whether it is decoded for a training that varies it. */
interface Wanted {
  readonly path: string;
  readonly augmented: boolean;
}

/** Picture files by split, and what is in them. */
export interface PicturesOfSplits {
  readonly paths: Readonly<Record<keyof Splits<unknown>, readonly string[]>>;
  readonly contents: PictureContents;
}

/**
 * Decodes the picture files of all splits, or takes them from a cache that has decoded the same contents before; the
 * errors of all broken files come as one {@link DataError}.
 */
export async function preload(
  pictures: PreparedPictures,
  { paths, contents }: PicturesOfSplits,
  cache?: PictureCache,
): Promise<void> {
  const wanted: Wanted[] = [
    ...[...paths.validation, ...paths.test].map((path) => ({ path, augmented: false })),
    ...paths.train.map((path) => ({ path, augmented: true })),
  ];
  if (cache === undefined || wanted.length < FEWEST_CACHED) {
    await decodeAll(pictures, wanted);
    return;
  }
  const key = await keyOf(pictures, wanted, contents, cache);
  const known = key === undefined ? undefined : await cache.read(key);
  const found = known === undefined ? undefined : unpacked(known);
  if (found?.length === wanted.length) {
    wanted.forEach(({ path, augmented }, place) => {
      const picture = found[place];
      if (picture !== undefined) pictures.keep(path, augmented, picture);
    });
    return;
  }
  const decoded = await decodeAll(pictures, wanted);
  const bytes = decoded.reduce((total, { pixels }) => total + pixels.byteLength, 0);
  if (key !== undefined && bytes <= MOST_BYTES_CACHED) await cache.write(key, packed(decoded));
}

/** Of the contents of all files, and how they are decoded; undefined when one cannot be read. */
async function keyOf(
  { recipe }: PreparedPictures,
  wanted: readonly Wanted[],
  contents: PictureContents,
  cache: PictureCache,
): Promise<string | undefined> {
  const hash = createHash('sha256').update(recipe);
  try {
    const found = await contents(
      wanted.map(({ path }) => path),
      cache,
    );
    wanted.forEach(({ augmented }, place) => hash.update(JSON.stringify([found[place], augmented])));
  } catch (error) {
    if (error instanceof DataError) return undefined; // decoding will say what is wrong with it, and with others
    throw error;
  }
  return hash.digest('hex');
}

async function decodeAll(pictures: PreparedPictures, wanted: readonly Wanted[]): Promise<Picture[]> {
  const decoded: Picture[] = [];
  const problems: DataError[] = [];
  for (let start = 0; start < wanted.length; start += LOADS_IN_FLIGHT) {
    const some = wanted.slice(start, start + LOADS_IN_FLIGHT);
    const outcomes = await Promise.allSettled(
      some.map(({ path, augmented }) => pictures.load(path, augmented)),
    );
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') decoded.push(outcome.value);
      else if (outcome.reason instanceof DataError) problems.push(outcome.reason);
      else throw outcome.reason;
    }
  }
  refuseBroken(problems);
  return decoded;
}

function refuseBroken(problems: readonly DataError[]): void {
  const [first] = problems;
  if (first === undefined) return;
  if (problems.length === 1) throw first;
  const more = problems.length - PROBLEMS_LISTED;
  throw new DataError(
    {
      expected: 'complete pictures',
      found: `${problems.length} files that cannot be decoded`,
      advice: [
        'Replace them, save them anew, or remove them:',
        ...problems.slice(0, PROBLEMS_LISTED).map((problem) => `- ${problem.message}`),
        ...(more > 0 ? [`- and ${more} more`] : []),
      ].join('\n'),
    },
    { cause: first },
  );
}
