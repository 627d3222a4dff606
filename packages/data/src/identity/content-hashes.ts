import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type RegularFileOptions, pictureFile, readInPieces } from '../file/regular-file';
import { type PictureCache, sealed, unsealed } from '../picture/pack';
import { type Look, isSame, isSettled, look, lookAt } from './look';
import type { PictureContents } from './picture-contents';

/** Files read at a time: enough to keep a disk busy. */
const READS_IN_FLIGHT = 16;
/** Files looked at at a time. */
const LOOKS_IN_FLIGHT = 256;
const known = z.array(z.tuple([z.string(), look, z.string()]));

/** Where hashes that were computed before are kept, and under what name. */
export interface KnownContents {
  readonly cache: PictureCache;
  /** Name of the files together: the absolute path of the dataset. */
  readonly name: string;
}

/**
 * SHA-256 of what is in each file, in hexadecimal digits. A file that looks as it did when it was read before is not read
 * again.
 * @throws {DataError} that names the first file that cannot be read.
 */
export async function contentHashes(
  paths: readonly string[],
  contents?: KnownContents,
  limits: RegularFileOptions = { what: 'a file', mostBytes: Number.POSITIVE_INFINITY },
): Promise<readonly string[]> {
  const begunNs = BigInt(Date.now()) * 1_000_000n;
  const looks = await inTurns(paths, LOOKS_IN_FLIGHT, lookAt);
  const before = contents === undefined ? new Map<string, Entry>() : await recalled(contents);
  let isNew = false;
  const hashes = await inTurns(paths, READS_IN_FLIGHT, (path, place) => {
    const now = looks[place];
    const entry = before.get(path);
    if (entry !== undefined && now !== undefined && isSame(entry.look, now))
      return Promise.resolve(entry.hash);
    isNew = true;
    return hashOf(path, limits);
  });
  if (contents !== undefined && isNew) {
    const entries = paths.flatMap((path, place): z.output<typeof known> => {
      const [now, hash] = [looks[place], hashes[place]];
      return now === undefined || hash === undefined || !isSettled(now, begunNs) ? [] : [[path, now, hash]];
    });
    if (entries.length > 0)
      await contents.cache.write(keyOf(contents), sealed(Buffer.from(JSON.stringify(entries))));
  }
  return hashes;
}

/** Picture files as what is in them. @param place The absolute path of the dataset. */
export const contentsOfFiles =
  (place: string): PictureContents =>
  (paths, cache) =>
    contentHashes(paths, cache === undefined ? undefined : { cache, name: place }, pictureFile);

interface Entry {
  readonly look: Look;
  readonly hash: string;
}

const keyOf = ({ name }: KnownContents): string =>
  createHash('sha256').update(`contents of ${name}`).digest('hex');

async function recalled(contents: KnownContents): Promise<Map<string, Entry>> {
  const kept = await contents.cache.read(keyOf(contents));
  const bytes = kept === undefined ? undefined : unsealed(kept);
  if (bytes === undefined) return new Map();
  return new Map(entriesIn(bytes).map(([path, look, hash]) => [path, { look, hash }]));
}

/** Reads the hashes that were kept; what another version kept is as good as nothing. */
function entriesIn(bytes: Uint8Array): z.output<typeof known> {
  try {
    return known.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data ?? [];
  } catch {
    return [];
  }
}

async function hashOf(path: string, limits: RegularFileOptions): Promise<string> {
  const hash = createHash('sha256');
  await readInPieces(path, limits, (piece) => hash.update(piece));
  return hash.digest('hex');
}

/** Results in the order of the items, so many at a time. @throws what the first failing one throws. */
async function inTurns<Item, Result>(
  items: readonly Item[],
  atATime: number,
  work: (item: Item, place: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += atATime) {
    const some = items.slice(start, start + atATime);
    results.push(...(await Promise.all(some.map((item, offset) => work(item, start + offset)))));
  }
  return results;
}
