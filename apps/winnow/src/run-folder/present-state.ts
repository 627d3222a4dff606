import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError, canonicalJson } from '@winnow/core';
import { z } from 'zod';
import { type RunCommand, identityOf } from '../identity/identify';
import { type RunIdentity, checkExpected, identityChanges } from '../identity/run-identity';
import type { GivenOptions } from '../options/group';
import { type Located, type PathOptions, locate, withPaths } from '../options/path-options';
import { SUMMARY_FILE } from './summary';

/** What there is now of that which a run began with. */
export interface PresentState {
  /** Where it is, by dotted key of the option. */
  readonly paths: Located['paths'];
  /** None where it is not known, or not what the run began with. */
  readonly identity: RunIdentity | undefined;
  /** What a reader of the run's results has to know, in sentences. */
  readonly remarks: readonly string[];
}

export interface BegunRun {
  readonly folder: string;
  readonly command: RunCommand;
  /** What it began with; runs of earlier versions do not know. */
  readonly before: RunIdentity | undefined;
  /** Every option with its value, paths as they were typed. */
  readonly options: GivenOptions;
  readonly pathOptions: PathOptions;
  /** Where relative paths led to, by dotted key. */
  readonly recordedPaths: Readonly<Record<string, string>>;
}

/**
 * Looks for the data, files and code that a run began with: where they were, then as they were typed, from the working
 * directory on. Whatever has changed about a run that has finished is a remark.
 * @throws {UserError} when the run has not finished, and something is missing or has changed.
 */
export async function presentState(run: BegunRun): Promise<PresentState> {
  if (run.before === undefined) return { paths: {}, identity: undefined, remarks: [NOT_KNOWN] };
  const isFinished = existsSync(join(run.folder, SUMMARY_FILE));
  try {
    const { paths, identity, differences } = await found(run, run.before);
    if (differences.length === 0) return { paths, identity, remarks: [] };
    if (!isFinished) throw new UserError(changedText(run.folder, differences));
    return { paths, identity: undefined, remarks: [`${HAS_CHANGED}: ${differences.join('; ')}.`] };
  } catch (error) {
    const { success, data } = ofUser.safeParse(error);
    if (!isFinished || !success) throw error;
    return { paths: {}, identity: undefined, remarks: [`${NOT_FOUND}: ${data.message}`] };
  }
}

export const NOT_KNOWN =
  'What data this run is of is not known: it was begun by an earlier Winnow, which did not record it.';
const HAS_CHANGED = 'Something has changed since this run was made';
const NOT_FOUND = 'Whether the data of this run are still the same cannot be said';

const ofUser = z.object({ exitCode: z.literal(2), message: z.string() });

type Found = Pick<PresentState, 'paths' | 'identity'> & { readonly differences: readonly string[] };

async function found(
  { folder, command, options, pathOptions, recordedPaths }: BegunRun,
  before: RunIdentity,
): Promise<Found> {
  const at = async ({ paths, missing }: Located): Promise<Found> => {
    const [first] = missing;
    if (first !== undefined) throw new UserError(missingText(folder, first));
    const identity = await identityOf(command, withPaths(options, paths), pathOptions);
    checkExpected(options, identity);
    return { paths, identity, differences: identityChanges(before, identity) };
  };
  const there = locate({ options, paths: recordedPaths }, pathOptions, 'recorded');
  const here = locate({ options, paths: recordedPaths }, pathOptions, 'typed');
  const first = await at(there);
  if (
    first.differences.length === 0 ||
    canonicalJson({ ...there.paths }) === canonicalJson({ ...here.paths })
  )
    return first;
  const second = await at(here);
  return second.differences.length === 0 ? second : first;
}

const missingText = (folder: string, { key, typed, recorded }: Located['missing'][number]): string =>
  `the run in ${folder} began with ${key} ${typed}, which is not in ${recorded} any more: name the place where it is now with --${key.replaceAll('.', '-')}`;

const changedText = (folder: string, differences: readonly string[]): string =>
  `the run in ${folder} cannot go on, because what it began with has changed:\n  ${differences.join('\n  ')}\n` +
  'Put that back, name the place where it is now (with --data, say), or start a new run with another --out.';
