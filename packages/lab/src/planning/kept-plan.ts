import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Json, type Runner, UserError, canonicalJson } from '@winnow/core';
import {
  type JsonFileFormat,
  fileSnapshotStore,
  makeFolder,
  readJsonIfThere,
  writeJson,
} from '@winnow/formats';
import { z } from 'zod';
import { namesIn } from '../run-folder/output-folder';

/** Keeps nothing: a plan that is saved nowhere is made at once. */
const forgetful: Runner['store'] = {
  load: () => Promise.resolve(undefined),
  save: () => Promise.resolve(),
  remove: () => Promise.resolve(),
};

/** The parts of a plan that are done already. */
export interface KeptPlan {
  readonly store: Runner['store'];
  /** Lets go of them once the plan is made. */
  finish(): Promise<void>;
}

const STATE = 'plan-state';
const ASKED = 'asked.json';
const format: JsonFileFormat<Json> = { schema: z.json(), what: 'the question of a plan' };

/**
 * Begins a plan in a folder, or goes on with the one that was begun there. Without a folder nothing is kept.
 * @param asked All that the plan depends on.
 * @throws {UserError} when the folder holds something else, or a plan of something else was begun in it.
 */
export async function keptPlan(
  out: string | undefined,
  { resume, asked }: { readonly resume: boolean; readonly asked: Json },
): Promise<KeptPlan> {
  if (out === undefined) return { store: forgetful, finish: () => Promise.resolve() };
  const folder = join(out, STATE);
  const begun = resume ? await readJsonIfThere(join(folder, ASKED), format) : undefined;
  if (begun !== undefined && canonicalJson(begun) !== canonicalJson(asked))
    throw new UserError(
      `${out}: another plan was begun there, of another model or with other options: choose another folder with --out, or ask as it was asked`,
    );
  await checkPlace(out, resume);
  await makeFolder(folder);
  await writeJson(join(folder, ASKED), asked, format);
  return {
    store: fileSnapshotStore(folder),
    finish: () => rm(folder, { recursive: true, force: true }),
  };
}

/**
 * Checks before any work that a plan can be made in a folder.
 * @throws {UserError} when it holds something, and not a plan that was begun and is to go on.
 */
export async function checkPlace(out: string, resume: boolean): Promise<void> {
  const names = await namesIn(out);
  if (names.length === 0) return;
  if (!names.includes(STATE))
    throw new UserError(
      `${out}: expected a folder that is empty, or is not there yet: choose another one with --out`,
    );
  if (!resume)
    throw new UserError(
      `${out}: a plan was begun there: go on with --resume, or choose another one with --out`,
    );
}
