import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { explained } from '../failure/system-failure';

/**
 * A file that changed so shortly before it was read may change again within the same tick of the file system's clock,
 * and look as it did. FAT counts in steps of two seconds.
 */
const SETTLED_AFTER_NS = 3_000_000_000n;

/** The look of a file from outside: whoever changes its content changes one of these, and nobody can set the last back. */
export const look = z.object({
  size: z.string(),
  inode: z.string(),
  modifiedNs: z.string(),
  changedNs: z.string(),
});
export type Look = z.output<typeof look>;

/** Whether a file is what it was. */
export const isSame = (one: Look, other: Look): boolean =>
  one.size === other.size &&
  one.inode === other.inode &&
  one.modifiedNs === other.modifiedNs &&
  one.changedNs === other.changedNs;

/** Whether a change of the file after this moment would show. */
export const isSettled = ({ modifiedNs, changedNs }: Look, nowNs: bigint): boolean =>
  [modifiedNs, changedNs].every((time) => BigInt(time) + SETTLED_AFTER_NS < nowNs);

/** @throws {DataError} when there is no such file, or it cannot be looked at. */
export async function lookAt(path: string): Promise<Look> {
  try {
    const found = await stat(path, { bigint: true });
    return {
      size: String(found.size),
      inode: String(found.ino),
      modifiedNs: String(found.mtimeNs),
      changedNs: String(found.ctimeNs),
    };
  } catch (cause) {
    throw explained(cause, `a file in ${path}`);
  }
}
