import { basename, join } from 'node:path';
import { type Json, UserError, canonicalJson, toJson } from '@winnow/core';
import { type RunCommand, identityOf } from '../identity/identify';
import { EXPECTED, type RunIdentity, checkExpected, identityJson } from '../identity/run-identity';
import { hubNameIn, isHubName } from '../hub/hub-name';
import { hashOf } from '../options/hash';
import { type GivenOptions, type OptionGroup, mergeGiven, resolveGroups } from '../options/group';
import { readingAheadShape } from '../options/reading-ahead';
import { proofShape } from '../options/proof';
import { SHOWN } from '../options/training';
import { presentState, remarksOn } from './present-state';
import { RECORD_FILE, type RunRecord, readRecord } from './record';
import { readableOr } from './summary';
import {
  type PathOptions,
  absolutePathsIn,
  flattened,
  pathOptionsOf,
  withPaths,
  withoutPaths,
} from '../options/path-options';

/** A run that is about to begin or to go on; nothing of it is written yet. */
export interface PlannedRun<Summary = unknown> {
  readonly folder: string;
  readonly command: RunCommand;
  /** Every option with its value; paths lead to what is there now. */
  readonly options: GivenOptions;
  /** The options that the result depends on, for the record. */
  readonly recorded: Readonly<Record<string, Json>>;
  readonly hash: string;
  /** The identity of the data, files and code that are here now; none where those of a finished run are gone. */
  readonly identity: RunIdentity | undefined;
  /** Relative paths among the options, from the root of the file system on. */
  readonly paths: Readonly<Record<string, string>>;
  /** The record of the run that is resumed. */
  readonly record: RunRecord | undefined;
  /** Remarks for the reader of a finished run's results: the data are not there any more, or are not known. */
  readonly remarks: readonly string[];
  /** The results, where it is finished. */
  readonly finished: Summary | undefined;
}

export interface RunRequest<Summary> {
  readonly command: RunCommand;
  /** The groups of options that belong to these values: some depend on others. */
  groupsFor(options: GivenOptions): readonly OptionGroup[];
  readonly given: GivenOptions;
  readonly resume: boolean;
  /** Options that may be others when the run is asked for again: those that say how far it goes. */
  readonly changeable?: readonly string[];
  /** Gives the name of a run folder, before the hash. */
  nameOf(options: GivenOptions): string;
  /**
   * The results of a run; undefined when it has not finished.
   * @throws {FormatError} when they cannot be read, or are of another run.
   */
  summaryIn(folder: string, record: RunRecord): Promise<Summary | undefined>;
  /** Told why results that are there are made again: what cannot be read is no reason not to. */
  note(text: string): void;
}

/**
 * Finds out which run is meant. A resumed run keeps its options: those given now must be the same, and paths must lead to
 * what it began with. Without a folder of its own, a run that is there already with the same options, data and code is
 * resumed.
 * @throws {UserError} on options that are not allowed, a folder that is taken, nothing to resume, other options, or data,
 * files or code that are not those the run began with.
 */
export async function planRun<Summary>(request: RunRequest<Summary>): Promise<PlannedRun<Summary>> {
  const { command, groupsFor, given, resume, changeable = [], nameOf } = request;
  const groups = groupsFor(given);
  const asked = resolveGroups(given, groups);
  const pathOptions = pathOptionsOf(groups);
  const out = asked['out'];
  const begun = typeof out === 'string' ? await readRecord(out) : undefined;
  if (typeof out === 'string' && begun !== undefined) {
    // A folder named by what a run depends on can only hold the same run: asking for it again means going on with it.
    if (!resume) {
      throw new UserError(
        `${out} already holds a run: go on with it by --resume, choose another folder with --out, or remove it`,
      );
    }
    return resumed(request, out, begun);
  }
  if (resume && typeof out === 'string') throw new UserError(`there is no run to resume in ${out}`);
  const identity = await identityOf(command, asked, pathOptions);
  checkExpected(asked, identity);
  const recorded = resultOptions(asked, changeable);
  const hash = hashOf({ options: withoutPaths(recorded, pathOptions), identity: identityJson(identity) });
  const folder = typeof out === 'string' ? out : join('runs', `${nameOf(asked)}-${hash}`);
  const record = typeof out === 'string' ? undefined : await readRecord(folder);
  if (record !== undefined) return resumed(request, folder, record);
  if (resume) throw new UserError(`there is no run to resume in ${folder}`);
  const paths = absolutePathsIn(asked, pathOptions);
  return {
    ...{ folder, command, options: asked, recorded, hash, identity, paths, record },
    ...{ remarks: [], finished: undefined },
  };
}

/** A run that is there already, with the options that it has. */
async function resumed<Summary>(
  { command, groupsFor, given, changeable = [], summaryIn, note }: RunRequest<Summary>,
  folder: string,
  record: RunRecord,
): Promise<PlannedRun<Summary>> {
  if (record.command !== command) {
    throw new UserError(`${folder} holds a run of winnow ${record.command}, not of winnow ${command}`);
  }
  refuseDamaged(folder, () => resolveGroups(record.options, groupsFor(record.options)));
  const merged = mergeGiven(record.options, given, groupsFor(record.options));
  const groups = groupsFor(merged);
  const options = resolveGroups(merged, groups);
  const pathOptions = pathOptionsOf(groups);
  const changed = changes(record, resultOptions(options, changeable), pathOptions);
  if (changed.length > 0) {
    throw new UserError(
      `the run in ${folder} has other options:\n  ${changed.join('\n  ')}\nLeave them out to go on with it, or choose another folder with --out.`,
    );
  }
  const namedNow = flattened(given);
  const isNamed = (key: string) => namedNow.has(key);
  const before = flattened(record.options);
  const named = new Set(
    [...namedNow].flatMap(([key, value]) => (pathOptions.has(key) && before.get(key) !== value ? [key] : [])),
  );
  const state = await presentState({
    folder,
    command,
    before: record.identity,
    options,
    pathOptions,
    // What is named now lies where it is named.
    recordedPaths: filtered(record.paths ?? {}, (key) => !isNamed(key)),
    named,
  });
  const finished = await readableOr(summaryIn(folder, record), note);
  const isFinished = finished !== undefined;
  if (state.kind === 'changed') throw new UserError(changedText(folder, state.differences, isFinished));
  // Results of data that are gone are still read, but not as those of others that were named.
  if (state.kind === 'missing' && (!isFinished || named.size > 0)) throw state.error;
  if (state.kind === 'same') refuseEdited(folder, record, pathOptionsOf(groupsFor(record.options)));
  const { paths = {}, identity } = state.kind === 'same' ? state : {};
  const now = Object.fromEntries(changeable.map((key) => [key, options[key]]));
  return {
    folder,
    command,
    options: { ...withPaths(options, paths), ...now, out: folder },
    recorded: record.options,
    hash: record.hash,
    identity,
    paths: { ...record.paths, ...filtered(absolutePathsIn(options, pathOptions), isNamed) },
    record,
    remarks: remarksOn(state),
    finished,
  };
}

/** @throws {UserError} when a record has not the options that its hash is of: what is there comes from others. */
function refuseEdited(folder: string, { options, identity, hash }: RunRecord, paths: PathOptions): void {
  if (identity === undefined) return;
  const found = hashOf({ options: withoutPaths(options, paths), identity: identityJson(identity) });
  if (found === hash) return;
  throw new UserError(
    `${join(folder, RECORD_FILE)} has been changed since the run began: its options have the hash ${found}, those that it began ` +
      `with had ${hash}. Put it back, or start a new run with another --out.`,
  );
}

const changedText = (folder: string, differences: readonly string[], isFinished: boolean): string =>
  `${isFinished ? `the run in ${folder} has finished, and` : `the run in ${folder} cannot go on:`} what it began with has changed since:\n  ${differences.join('\n  ')}\n` +
  `Put that back, name the place where it is now (with --data, say), or start a new run with another --out.` +
  (isFinished ? ` What it came to says winnow report ${folder}.` : '');

/** @throws {UserError} when a recorded run has options that no run has. */
export function refuseDamaged(folder: string, read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `${join(folder, RECORD_FILE)} is damaged, or another version wrote it: ${error.message}`,
    );
  }
}

const filtered = (values: Readonly<Record<string, string>>, isWanted: (key: string) => boolean) =>
  Object.fromEntries(Object.entries(values).filter(([key]) => isWanted(key)));

/** Options that a result does not depend on: where the run is kept, what is looked at before it begins, how pictures are kept. */
const WITHOUT_EFFECT: readonly string[] = [
  'out',
  SHOWN,
  EXPECTED,
  ...Object.keys({ ...readingAheadShape, ...proofShape }),
];

/** All options that a result depends on, but for how far the run goes. */
function resultOptions(options: GivenOptions, changeable: readonly string[]): Record<string, Json> {
  const left = new Set([...WITHOUT_EFFECT, ...changeable]);
  return Object.fromEntries(
    Object.entries(options).flatMap(([key, value]) =>
      left.has(key) || value === undefined ? [] : [[key, toJson(value)]],
    ),
  );
}

/** Options that are others; of a run whose data and files are known, paths may be others as long as these are the same. */
function changes(
  record: RunRecord,
  options: Readonly<Record<string, Json>>,
  pathOptions: PathOptions,
): string[] {
  const before = flattened(record.options);
  const now = flattened(options);
  return [...new Set([...before.keys(), ...now.keys()])].flatMap((key) => {
    if ((record.identity !== undefined && pathOptions.has(key)) || WITHOUT_EFFECT.includes(key)) return [];
    const [old, asked] = [before.get(key), now.get(key)];
    if (old === asked) return [];
    // What was chosen by itself may be named when the run is resumed, and the other way round.
    const inUse = usedEngine(record).get(key);
    if (inUse !== undefined && (asked === '"auto"' || asked === inUse)) return [];
    return [`${key}: ${old ?? 'nothing'} there, ${asked ?? 'nothing'} here`];
  });
}

/** The values that the options of the engine have had in the run, as canonical JSON. */
function usedEngine({ engine, precision, threads, device }: RunRecord): Map<string, string> {
  const used = Object.entries({ engine, precision, threads, device });
  return new Map(
    used.flatMap(([key, value]): [string, string][] =>
      value === undefined ? [] : [[key, canonicalJson(value)]],
    ),
  );
}

/** A word for a dataset or model that was given by name or by path; which commit it is of says its hash. */
export const shortName = (nameOrPath: string): string =>
  basename(isHubName(nameOrPath) ? hubNameIn(nameOrPath).repository : nameOrPath).replaceAll(
    /[^\w.-]+/g,
    '-',
  ) || 'data';
