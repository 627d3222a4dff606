import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { PictureCache } from '@winnow/data';
import { clearTemporaryFiles, isTemporary, readBytes, writeAtomically } from '@winnow/formats';
import envPaths from 'env-paths';

const SUFFIX = '.pictures';
/** Most bytes of all files together; those that were not used for longest go first. */
const MOST_BYTES = 1024 ** 3;
/** No process writes for so long; what is half-written since then belongs to one that was killed. */
const SILENCE_MS = 3_600_000;

/** Where this user's programs keep what they can make again. */
export const cacheFolder = (): string => join(envPaths('winnow', { suffix: '' }).cache, 'pictures');

/**
 * Keeps decoded pictures as files. A folder that cannot be read or written is as good as an empty one: everything in it
 * can be made again.
 */
export function pictureCacheIn(folder: string, mostBytes = MOST_BYTES): PictureCache {
  const fileOf = (key: string) => join(folder, `${key}${SUFFIX}`);
  return {
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
        await makeRoom(folder, mostBytes);
      } catch {
        return;
      }
    },
  };
}

/**
 * Removes what killed processes have left half-written, then the files that were not used for longest, until the others
 * fit beside those that are being written.
 */
async function makeRoom(folder: string, mostBytes: number): Promise<void> {
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
    used += size;
    if (used > mostBytes) await rm(join(folder, name), { force: true });
  }
}
