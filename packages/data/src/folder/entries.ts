import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { explained, isAbsence, systemCode } from '../failure/system-failure';

/** Entries looked at or folders listed at a time: no more files are open than that. */
export const AT_A_TIME = 16;

export type EntryKind = 'folder' | 'file' | 'other';

/** Something visible in a folder, with what lies behind it if it is a symbolic link. */
export interface Entry {
  readonly name: string;
  readonly path: string;
  /** Other: a pipe, a socket or a device. No name: bytes that are no UTF-8, by which it cannot be opened. */
  readonly kind: EntryKind | 'broken link' | 'circular link' | 'no name';
}

const kindOf = (found: { isDirectory(): boolean; isFile(): boolean }): EntryKind =>
  found.isDirectory() ? 'folder' : found.isFile() ? 'file' : 'other';

/**
 * Tells what lies at `path`, behind symbolic links; undefined when there is nothing.
 * @throws {DataError} when it cannot be looked at.
 */
export async function kindAt(path: string): Promise<EntryKind | undefined> {
  try {
    return kindOf(await stat(path));
  } catch (cause) {
    if (isAbsence(cause)) return undefined;
    throw explained(cause, `a file or a folder at ${path}`);
  }
}

/** Stands for bytes of a name that are no UTF-8. */
const UNDECODED = '\uFFFD';

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

async function linkedKind(path: string): Promise<Entry['kind']> {
  try {
    return kindOf(await stat(path));
  } catch (cause) {
    if (isAbsence(cause)) return 'broken link';
    if (systemCode(cause) === 'ELOOP') return 'circular link';
    throw explained(cause, `a file or a folder behind the symbolic link ${path}`);
  }
}

/**
 * The visible entries of a folder, in an order that does not depend on file system or language.
 * @throws {DataError} when it cannot be listed.
 */
export async function entriesOf(path: string): Promise<Entry[]> {
  const found = await readdir(path, { withFileTypes: true }).catch((cause: unknown) => {
    throw explained(cause, `a folder at ${path}`);
  });
  const limit = pLimit(AT_A_TIME);
  const entries = await Promise.all(
    found
      .filter((entry) => !entry.name.startsWith('.'))
      .map(async (entry): Promise<Entry> => {
        const at = join(path, entry.name);
        if (entry.name.includes(UNDECODED) && !(await limit(() => isThere(at))))
          return { name: entry.name, path: at, kind: 'no name' };
        const kind = entry.isSymbolicLink() ? await limit(() => linkedKind(at)) : kindOf(entry);
        return { name: entry.name, path: at, kind };
      }),
  );
  return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Counting ends here: what is not used need not be known to the last file. */
const MOST_COUNTED = 100_000;

/** The files in a folder and in those below it, up to 100,000; folders that cannot be listed have none. */
export async function filesBelow(path: string): Promise<number> {
  const waiting = [path];
  let files = 0;
  for (let folder = waiting.pop(); folder !== undefined && files < MOST_COUNTED; folder = waiting.pop()) {
    const found = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of found) {
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) waiting.push(join(folder, entry.name));
      else files++;
    }
  }
  return Math.min(files, MOST_COUNTED);
}
