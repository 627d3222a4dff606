import { constants, lstatSync } from 'node:fs';
import { UserError } from '@winnow/core';
import { kindOf } from '@winnow/formats';

/** Appends to a file of the folder itself, never through a link to somewhere else. */
export const APPEND =
  constants.O_APPEND |
  constants.O_CREAT |
  constants.O_WRONLY |
  (process.platform === 'win32' ? 0 : constants.O_NOFOLLOW);

/**
 * Whether a file that a run writes is there.
 * @throws {UserError} when something else is: a link, by which a stranger's folder would write elsewhere, or a pipe.
 */
export function isOwnFile(file: string): boolean {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  if (stats.isFile()) return true;
  const found = stats.isSymbolicLink() ? 'a symbolic link' : kindOf(stats);
  throw new UserError(`cannot write ${file}: expected a file, got ${found}`);
}

/** @throws {UserError} when a folder that a run writes into is a link: a stranger's run would write elsewhere. */
export function refuseLinked(folder: string): void {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  throw new UserError(
    `cannot write into ${folder}: expected a folder, got a symbolic link; put the folder there that it leads to, or choose another --out`,
  );
}
