import { statfsSync } from 'node:fs';
import { mkdir, open, readdir, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PictureCache } from '@winnow/data';
import { clearTemporaryFiles, isTemporary, readBytes, writeAtomically } from '@winnow/formats';
import envPaths from 'env-paths';

const SUFFIX = '.pictures';
const GIB = 1024 ** 3;
/** Most bytes of all files together where the disk has room; those that were not used for longest go first. */
const MOST_BYTES = 64 * GIB;
/** Where it has not: hashes and the pictures of small datasets. */
const LEAST_BYTES = GIB / 4;
/** The share of the free disk, with what the cache has of it. */
const DISK_SHARE = 1 / 10;
/** After so many files others may have written, too. */
const WRITES_BETWEEN_LOOKS = 64;
/** No process writes for so long; what is half-written since then belongs to one that was killed. */
const SILENCE_MS = 3_600_000;

/** Where this user's programs keep what they can make again. */
export const cacheFolder = (): string => join(envPaths('winnow', { suffix: '' }).cache, 'pictures');

/**
 * Keeps decoded pictures as files. A folder that cannot be read or written is as good as an empty one: everything in it
 * can be made again.
 */
export function pictureCacheIn(folder: string, mostBytes = roomIn(folder)): PictureCache {
  const fileOf = (key: string) => join(folder, `${key}${SUFFIX}`);
  let used = Infinity;
  let writes = 0;
  return {
    mostBytes,
    readPart: async (key, start, bytes) => {
      try {
        const file = await open(fileOf(key), 'r');
        try {
          const room = Buffer.allocUnsafeSlow(bytes);
          const { bytesRead } = await file.read(room, 0, bytes, start);
          if (start === 0) await file.utimes(new Date(), new Date());
          return room.subarray(0, bytesRead);
        } finally {
          await file.close();
        }
      } catch {
        return undefined;
      }
    },
    read: async (key) => {
      try {
        const content = await readBytes(fileOf(key), { mostBytes });
        const now = new Date();
        await utimes(fileOf(key), now, now);
        return content;
      } catch {
        return undefined;
      }
    },
    write: async (key, content) => {
      try {
        await mkdir(folder, { recursive: true });
        await writeAtomically(fileOf(key), content);
        used += content.byteLength;
        writes++;
        if (used > mostBytes || writes % WRITES_BETWEEN_LOOKS === 0) used = await makeRoom(folder, mostBytes);
      } catch {
        return;
      }
    },
  };
}

/**
 * Removes what killed processes have left half-written, then the files that were not used for longest, until the others
 * fit beside those that are being written.
 * @returns the bytes of what is left.
 */
async function makeRoom(folder: string, mostBytes: number): Promise<number> {
  await clearTemporaryFiles(folder, SILENCE_MS);
  const names = (await readdir(folder)).filter((name) => name.endsWith(SUFFIX) || isTemporary(name));
  const found = await Promise.all(
    names.map(async (name) => {
      const stats = await stat(join(folder, name)).catch(() => undefined); // another process was quicker
      return stats === undefined ? [] : [{ name, size: stats.size, mtimeMs: stats.mtimeMs }];
    }),
  );
  const files = found.flat().filter(({ name }) => !isTemporary(name));
  files.sort((a, b) => b.mtimeMs - a.mtimeMs);
  let used = found.flat().reduce((sum, { name, size }) => sum + (isTemporary(name) ? size : 0), 0);
  for (const { name, size } of files) {
    if (used + size > mostBytes) await rm(join(folder, name), { force: true });
    else used += size;
  }
  return used;
}

/** Bytes that a cache there may have, by what is free on its disk. */
export function roomIn(folder: string): number {
  const free = freeOn(folder);
  return Math.max(LEAST_BYTES, Math.min(MOST_BYTES, Math.floor(free * DISK_SHARE)));
}

/** Free bytes of the disk that a folder is, or would be, on. */
function freeOn(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    const above = dirname(folder);
    return above === folder ? 0 : freeOn(above);
  }
}
