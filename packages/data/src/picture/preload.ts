import { createHash } from 'node:crypto';
import type { Splits } from '@winnow/core';
import { DataError } from '../failure/data-error';
import type { PictureContents } from '../identity/picture-contents';
import { allOf, refuseBroken } from './broken';
import { type PictureCache, packed, unpacked } from './pack';
import type { Picture } from './picture';
import type { PreparedPictures } from './prepared';

/** Decodings asked for at a time: enough to keep libvips' threads busy, few enough to bound memory. */
const LOADS_IN_FLIGHT = 64;
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
    await decodeAll(pictures, wanted, 0);
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
  const decoded = await decodeAll(pictures, wanted, MOST_BYTES_CACHED);
  if (key !== undefined && decoded !== undefined) await cache.write(key, packed(decoded));
}

/** Hashes the contents of all files, and how they are decoded; undefined when one cannot be read. */
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

/**
 * Decodes all pictures, which the store keeps as far as it has room.
 * @returns them once more for a cache, or nothing when they are too many for one.
 */
async function decodeAll(
  pictures: PreparedPictures,
  wanted: readonly Wanted[],
  mostBytes: number,
): Promise<Picture[] | undefined> {
  let decoded: Picture[] | undefined = [];
  let bytes = 0;
  const problems: DataError[] = [];
  for (let start = 0; start < wanted.length; start += LOADS_IN_FLIGHT) {
    const some = wanted.slice(start, start + LOADS_IN_FLIGHT);
    const outcomes = await allOf(some.map(({ path, augmented }) => pictures.load(path, augmented)));
    problems.push(...outcomes.problems);
    bytes += outcomes.values.reduce((total, { pixels }) => total + pixels.byteLength, 0);
    if (bytes <= mostBytes) decoded?.push(...outcomes.values);
    else decoded = undefined;
  }
  refuseBroken(problems);
  return decoded;
}
