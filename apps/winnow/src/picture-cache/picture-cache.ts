import { mkdir, readFile, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { PictureCache } from '@winnow/data';
import { writeAtomically } from '@winnow/formats';
import envPaths from 'env-paths';

const SUFFIX = '.pictures';
/** Most bytes of all files together; those that were not used for longest go first. */
const MOST_BYTES = 1024 ** 3;

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
        const content = await readFile(fileOf(key));
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

/** Removes the files that were not used for longest, until the others fit. */
async function makeRoom(folder: string, mostBytes: number): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(SUFFIX));
  const files = await Promise.all(
    names.map(async (name) => {
      const { size, mtimeMs } = await stat(join(folder, name));
      return { file: join(folder, name), size, mtimeMs };
    }),
  );
  files.sort((a, b) => b.mtimeMs - a.mtimeMs);
  let used = 0;
  for (const { file, size } of files) {
    used += size;
    if (used > mostBytes) await rm(file, { force: true });
  }
}
