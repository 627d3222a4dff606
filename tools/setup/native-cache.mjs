import { mkdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { changeIn } from './content.mjs';

/** The bits of a folder's mode by which its group or everybody may write in it; only owners may replace what lies there. */
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;
const ROOT = 0;

/** Where the user's native code is kept for every clone. What lies there is executed: see {@link refuseForeign}. */
export const nativeCache = () => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'winnow');

/**
 * The cache, made if need be.
 * @throws {Error} in one line, when others may write there.
 */
export function privateCache() {
  const folder = nativeCache();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  refuseForeign(folder);
  return folder;
}

/**
 * Makes sure that nobody but the user (and the system's administrator) can change what lies at a path: it and every
 * folder above it belong to them, and others may not write in them.
 * @param {number} [user] whose it should be
 * @throws {Error} in one line, which names the folder and what to do.
 */
export function refuseForeign(path, user = process.getuid?.()) {
  if (user === undefined) return;
  for (let at = realpathSync(path); ; at = dirname(at)) {
    const { uid, mode } = statSync(at);
    const advice = 'what lies there is executed: mend that, or choose another cache by XDG_CACHE_HOME';
    if (uid !== user && uid !== ROOT)
      throw new Error(`${at} belongs to another user (${uid}, expected ${user}), and ${advice}`);
    const isShared = (mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0;
    if (isShared) {
      const octal = (mode & 0o777).toString(8);
      throw new Error(`others may write in ${at} (mode ${octal}), and ${advice} (chmod go-w ${at})`);
    }
    if (at === dirname(at)) return;
  }
}

/**
 * Whether a folder of the cache is there and holds what was recorded when it was made. One that does not is removed, with
 * a word.
 * @throws {Error} when others may write there.
 */
export function isKept(folder) {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return false;
  refuseForeign(folder);
  const changed = changeIn(folder);
  if (changed === undefined) return true;
  console.log(`${folder}: ${changed} is not what the set-up left there; making it anew …`);
  rmSync(folder, { recursive: true, force: true });
  return false;
}
