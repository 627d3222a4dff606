import { UserError, canonicalJson } from '@winnow/core';
import { z } from 'zod';
import { type RunCommand, identityOf } from '../identity/identify';
import { type RunIdentity, checkExpected, identityChanges } from '../identity/run-identity';
import type { GivenOptions } from '../options/group';
import { type Located, type PathOptions, locate, withPaths } from '../options/path-options';

/** The present state of the data, files and code that a run began with. */
export type PresentState =
  /** @property paths Where it is, by dotted key of the option. */
  | { readonly kind: 'same'; readonly paths: Located['paths']; readonly identity: RunIdentity }
  | { readonly kind: 'changed'; readonly differences: readonly string[] }
  /** Something is not there, or is not as it should be: the user's to mend. */
  | { readonly kind: 'missing'; readonly error: Error }
  /** The run is of an earlier version. */
  | { readonly kind: 'not known' };

export interface BegunRun {
  readonly folder: string;
  readonly command: RunCommand;
  /** The identity that the run began with; runs of earlier versions do not know it. */
  readonly before: RunIdentity | undefined;
  /** Every option with its value, paths as they were typed. */
  readonly options: GivenOptions;
  readonly pathOptions: PathOptions;
  /** Where relative paths led to, by dotted key. */
  readonly recordedPaths: Readonly<Record<string, string>>;
  /** Dotted keys of the paths that are named now, and not as the run has them. */
  readonly named?: ReadonlySet<string>;
}

/** Looks for what a run began with: where it was, then as it was typed, from the working directory on. */
export async function presentState(run: BegunRun): Promise<PresentState> {
  if (run.before === undefined) return { kind: 'not known' };
  try {
    return await found(run, run.before);
  } catch (error) {
    if (error instanceof Error && ofUser.safeParse(error).success) return { kind: 'missing', error };
    throw error;
  }
}

const ofUser = z.object({ exitCode: z.literal(2) });

/** Sentences for whoever reads the results of a run: what has changed since it was made, or is not known of it. */
export function remarksOn(state: PresentState): string[] {
  switch (state.kind) {
    case 'same':
      return [];
    case 'changed':
      return [`Something has changed since this run was made: ${state.differences.join('; ')}.`];
    case 'missing':
      return [`Whether the data of this run are still the same cannot be said: ${state.error.message}`];
    case 'not known':
      return [
        'What data this run is of is not known: it was begun by an earlier Winnow, which did not record it.',
      ];
    default:
      return state satisfies never;
  }
}

async function found(
  { folder, command, options, pathOptions, recordedPaths, named }: BegunRun,
  before: RunIdentity,
): Promise<PresentState> {
  const at = async ({ paths, missing }: Located): Promise<PresentState> => {
    const [first] = missing;
    if (first !== undefined) throw new UserError(missingText(folder, first, named?.has(first.key)));
    const identity = await identityOf(command, withPaths(options, paths), pathOptions);
    checkExpected(options, identity);
    const differences = identityChanges(before, identity);
    return differences.length === 0 ? { kind: 'same', paths, identity } : { kind: 'changed', differences };
  };
  const there = locate({ options, paths: recordedPaths }, pathOptions, 'recorded');
  const here = locate({ options, paths: recordedPaths }, pathOptions, 'typed');
  const first = await at(there);
  const isOnePlace = canonicalJson({ ...there.paths }) === canonicalJson({ ...here.paths });
  if (first.kind === 'same' || isOnePlace) return first;
  const second = await at(here);
  return second.kind === 'same' ? second : first;
}

function missingText(
  folder: string,
  { key, typed, recorded }: Located['missing'][number],
  isNamed = false,
): string {
  const flag = `--${key.replaceAll('.', '-')}`;
  return isNamed
    ? `${flag} names ${typed} for the run in ${folder}, and nothing is there: name the place where it is now, or leave it out`
    : `the run in ${folder} began with ${key} ${typed}, which is not in ${recorded} any more: name the place where it is now with ${flag}`;
}
