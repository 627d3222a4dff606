import { readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '@winnow/core';
import { digestOfFile, makeFolder } from '@winnow/formats';
import { namesIn } from '../run-folder/output-folder';
import { LOCK_FILE, lockFolder } from '../run-folder/run-lock';

/** Ends the name of a folder that is still being filled. */
const UNFINISHED = '.unfinished';
/** With it a folder opens as a model. */
const MODEL_FILE = 'structure.json';

/**
 * Fills a folder that is there whole or not at all: `write` fills one beside it, which then takes its name. What a killed
 * process has left is made anew. Where other files lie in the folder already, the new ones are moved to them, the one
 * that makes it a model last; nothing of what lies there is written over.
 * @throws {UserError} while another process fills it, when it is no folder, or when it has other files of the same names.
 */
export async function writeWhole<T>(out: string, write: (folder: string) => Promise<T>): Promise<T> {
  await namesIn(out);
  const unfinished = `${resolve(out)}${UNFINISHED}`;
  await makeFolder(unfinished);
  const lock = lockFolder(
    unfinished,
    new UserError(`another process is writing ${out}: wait for it, or choose another folder with --out`),
  );
  try {
    await clear(unfinished);
    const result = await write(unfinished);
    await moveTo(unfinished, out);
    return result;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  } finally {
    lock.release();
  }
}

async function clear(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (name !== LOCK_FILE) await rm(join(folder, name), { recursive: true });
}

async function moveTo(unfinished: string, out: string): Promise<void> {
  const there = await namesIn(out);
  if (there.length === 0) {
    await rm(join(unfinished, LOCK_FILE));
    await rename(unfinished, out);
    return;
  }
  const names = (await readdir(unfinished)).filter((name) => name !== LOCK_FILE && name !== MODEL_FILE);
  for (const name of names)
    if (there.includes(name)) await refuseOther(join(unfinished, name), join(out, name));
  for (const name of [...names, MODEL_FILE]) await rename(join(unfinished, name), join(out, name));
  await rm(join(unfinished, LOCK_FILE));
  await rmdir(unfinished);
}

/** @throws {UserError} where a file of that name is another than the new one, which a killed process may have moved there. */
async function refuseOther(file: string, there: string): Promise<void> {
  if ((await stat(there)).isFile() && (await digestOfFile(there)) === (await digestOfFile(file))) return;
  throw new UserError(`${there} is there already, and is another: choose another folder with --out`);
}
