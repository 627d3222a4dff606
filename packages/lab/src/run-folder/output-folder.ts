import { readdir, stat } from 'node:fs/promises';
import { UserError } from '@winnow/core';
import { kindOf, systemCode } from '@winnow/formats';

/**
 * The names in a folder that is to be written to; none where there is no such folder.
 * @throws {UserError} when something else is there, or it cannot be listed.
 */
export async function namesIn(out: string): Promise<string[]> {
  try {
    const found = await stat(out);
    if (found.isDirectory()) return await readdir(out);
    throw new UserError(
      `${out}: expected a folder to write to, got ${found.isFile() ? 'a file' : kindOf(found)}: choose another one with --out`,
    );
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return [];
    if (code === undefined) throw error;
    throw new UserError(`${out} cannot be written to (${code}): choose another folder with --out`);
  }
}
