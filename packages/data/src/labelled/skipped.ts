import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import { z } from 'zod';
import { counted } from '@winnow/core';
import { firstTen } from '../failure/listing';
import { DataError } from '../failure/data-error';
import { visibly } from '../failure/visible';
import type { PictureContents } from '../identity/picture-contents';
import { type PictureCache, sealed, unsealed } from '../picture/pack';
import { type PictureFiles, decoder, pictureReader } from '../picture/read';
import type { BrokenPicture } from '../unlabelled/find-pictures';

/** The treatment of pictures that cannot be decoded. */
export interface BrokenReading {
  /**
   * `skip` leaves them out before anything is divided, so the data are what is left: every picture is decoded once for that.
   * Default `refuse`: an error names them.
   */
  readonly broken?: 'refuse' | 'skip';
  /** Where it is kept which pictures of which contents are broken. Default: nowhere. */
  readonly pictureCache?: PictureCache;
}

/** Decodings asked for at a time. */
const LOADS_IN_FLIGHT = 64;
/** Whether a picture is complete shows at any size. */
const SMALL = { covers: 16, enlarge: false } as const;

const places = z.array(z.int().nonnegative());

/**
 * The pictures that cannot be decoded, with the reason of each. Those of files that were looked at before are known by their
 * contents.
 */
export async function brokenAmong(
  paths: readonly string[],
  contents: PictureContents,
  cache: PictureCache | undefined,
  files?: PictureFiles,
): Promise<readonly BrokenPicture[]> {
  const key = cache === undefined ? undefined : await keyOf(paths, contents, cache);
  const kept = key === undefined ? undefined : await cache?.read(key);
  const known = kept === undefined ? undefined : placesIn(kept);
  const suspects = known === undefined ? paths : known.flatMap((place) => paths[place] ?? []);
  const broken = await decodedInVain(suspects, files);
  if (known === undefined && key !== undefined) {
    const found = new Set(broken.map(({ picture }) => picture));
    const at = paths.flatMap((path, place) => (found.has(path) ? [place] : []));
    await cache?.write(key, sealed(Buffer.from(JSON.stringify(at))));
  }
  return broken;
}

async function decodedInVain(
  paths: readonly string[],
  files: PictureFiles | undefined,
): Promise<BrokenPicture[]> {
  const reader = pictureReader(files);
  const broken: BrokenPicture[] = [];
  for (let start = 0; start < paths.length; start += LOADS_IN_FLIGHT) {
    const some = paths.slice(start, start + LOADS_IN_FLIGHT);
    const outcomes = await Promise.allSettled(some.map((path) => reader.read(path, SMALL)));
    outcomes.forEach((outcome, place) => {
      if (outcome.status === 'fulfilled') return;
      if (!(outcome.reason instanceof DataError)) throw outcome.reason;
      broken.push({ picture: some[place] ?? '', problem: outcome.reason.message });
    });
  }
  return broken;
}

/** A name for the contents of all files and what decodes them; undefined when one cannot be read: decoding will say why. */
async function keyOf(
  paths: readonly string[],
  contents: PictureContents,
  cache: PictureCache,
): Promise<string | undefined> {
  try {
    const words = await contents(paths, cache);
    return createHash('sha256')
      .update(JSON.stringify(['broken pictures', decoder, words]))
      .digest('hex');
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}

/** Reads which of the pictures are broken; nothing of what another version kept. */
function placesIn(kept: Uint8Array): readonly number[] | undefined {
  const bytes = unsealed(kept);
  try {
    return bytes && places.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data;
  } catch {
    return undefined;
  }
}

const NAMED = 3;

/** Counts and names pictures that were skipped, a line; nothing for none. */
export function skippedNotes(root: string, skipped: readonly BrokenPicture[]): string[] {
  if (skipped.length === 0) return [];
  const names = skipped.slice(0, NAMED).map(({ picture }) => visibly(relative(root, picture)));
  return [
    `skipped: ${counted(skipped.length, 'broken picture')}: ${names.join(', ')}${skipped.length > NAMED ? ', …' : ''}`,
  ];
}

/**
 * Refuses data of which a class would be gone with its broken pictures, without a word.
 * @param listed Class names of all pictures, and `left` of those that are not broken.
 * @throws {DataError} that lists these classes.
 */
export function refuseLostClasses(listed: readonly string[], left: readonly string[], source: string): void {
  const there = new Set(left);
  const lost = [...new Set(listed)].filter((name) => !there.has(name)).sort();
  if (lost.length === 0) return;
  throw new DataError({
    expected: `pictures of every class in ${source}`,
    found: `all pictures of ${counted(lost.length, 'class', 'classes')} broken:${firstTen(lost.map(visibly))}\n`,
    advice: 'Add whole ones, or take these classes out.',
  });
}
