import { mkdir } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { type Json, type SnapshotStore, UserError, canonicalJson, toJson } from '@winnow/core';
import type { StartedEngine } from '@winnow/engine';
import { fileSnapshotStore, writeAtomically } from '@winnow/formats';
import { hashOf } from '../options/hash';
import { type GivenOptions, type OptionGroup, mergeGiven, resolveGroups } from '../options/group';
import { type Metrics, metricsFile } from './metrics';
import { RECORD_FILE, type RunRecord, readRecord } from './record';
import { type RunLock, lockRun } from './run-lock';

/** A run that is about to begin or to go on; nothing of it is written yet. */
export interface PlannedRun {
  readonly folder: string;
  readonly command: string;
  /** Every option with its value. */
  readonly options: GivenOptions;
  /** Keys of options that the run is not known by. */
  readonly changeable: readonly string[];
  /** Of the run that is resumed. */
  readonly record: RunRecord | undefined;
}

/** The folder of a run that has begun. */
export interface RunFolder {
  readonly folder: string;
  readonly record: RunRecord;
  readonly store: SnapshotStore;
  readonly metrics: Metrics;
  /** Where the model of the run is saved. */
  readonly modelFolder: string;
  /** Held from the beginning: whoever ends the work lets go. */
  readonly lock: RunLock;
}

export interface RunRequest {
  readonly command: string;
  /** The groups of options that belong to these values: some depend on others. */
  groupsFor(options: GivenOptions): readonly OptionGroup[];
  readonly given: GivenOptions;
  readonly resume: boolean;
  /** Options that may be others when the run is asked for again: those that say how far it goes. */
  readonly changeable?: readonly string[];
  /** What a run folder is called, before the hash. */
  nameOf(options: GivenOptions): string;
}

/**
 * Finds out which run is meant. A resumed run keeps its options: those given now must be the same. Without a folder of
 * its own, a run that is there already with the same options is resumed.
 * @throws {UserError} on options that are not allowed, a folder that is taken, nothing to resume, or other options.
 */
export async function planRun({
  command,
  groupsFor,
  given,
  resume,
  changeable = [],
  nameOf,
}: RunRequest): Promise<PlannedRun> {
  const asked = resolveGroups(given, groupsFor(given));
  const out = asked['out'];
  const folder =
    typeof out === 'string'
      ? out
      : join('runs', `${nameOf(asked)}-${hashOf(resultOptions(asked, changeable))}`);
  const record = await readRecord(folder);
  if (record === undefined) {
    if (resume) throw new UserError(`there is no run to resume in ${folder}`);
    return { folder, command, options: asked, changeable, record };
  }
  // A folder named by the hash of the options can only hold the same run: asking for it again means going on with it.
  if (!resume && typeof out === 'string') {
    throw new UserError(
      `${folder} already holds a run: go on with it by --resume, choose another folder with --out, or remove it`,
    );
  }
  if (record.command !== command) {
    throw new UserError(`${folder} holds a run of winnow ${record.command}, not of winnow ${command}`);
  }
  const merged = mergeGiven(record.options, given, groupsFor(record.options));
  const options = resolveGroups(merged, groupsFor(merged));
  const changed = changes(record, resultOptions(options, changeable));
  if (changed.length > 0) {
    throw new UserError(
      `the run in ${folder} has other options:\n  ${changed.join('\n  ')}\nLeave them out to go on with it, or choose another folder with --out.`,
    );
  }
  const now = Object.fromEntries(changeable.map((key) => [key, options[key]]));
  return { folder, command, options: { ...record.options, ...now, out: folder }, changeable, record };
}

/**
 * Makes the folder and writes the record, unless the run is resumed.
 * @throws {UserError} when the folder cannot be made, or another process is working in it.
 */
export async function beginRun(
  { folder, command, options, changeable, record: resumed }: PlannedRun,
  { engine, version, sourceWeights }: { engine: StartedEngine; version: string; sourceWeights?: string },
): Promise<RunFolder> {
  const kept = resultOptions(options, changeable);
  const record: RunRecord = resumed ?? {
    command,
    options: kept,
    hash: hashOf(kept),
    engine: engine.name,
    precision: engine.precision,
    threads: engine.threads,
    device: engine.device,
    winnow: version,
    ...(sourceWeights === undefined ? {} : { sourceWeights }),
  };
  await makeFolder(folder);
  const lock = lockRun(folder);
  try {
    await claim(folder, record, resumed, sourceWeights);
  } catch (error) {
    lock.release();
    throw error;
  }
  return {
    folder,
    record,
    store: fileSnapshotStore(join(folder, 'checkpoints')),
    metrics: metricsFile(join(folder, 'metrics.jsonl')),
    modelFolder: join(folder, 'model'),
    lock,
  };
}

/** Writes the record of a new run, or sees that an old one starts from what it started from. */
async function claim(
  folder: string,
  record: RunRecord,
  resumed: RunRecord | undefined,
  sourceWeights: string | undefined,
): Promise<void> {
  if (resumed !== undefined) {
    if (resumed.sourceWeights === sourceWeights) return;
    throw new UserError(
      `the model that the run in ${folder} started from has changed since: start a new run`,
    );
  }
  // Another process may have made a run here since the folder was looked at.
  if ((await readRecord(folder)) !== undefined) {
    throw new UserError(`${folder} has just become the folder of another run: choose another one with --out`);
  }
  await writeAtomically(join(folder, RECORD_FILE), `${JSON.stringify(record, undefined, 2)}\n`);
}

/** A word for a dataset or model that was given by name or by path. */
export const shortName = (nameOrPath: string): string =>
  basename(nameOrPath).replaceAll(/[^\w.-]+/g, '-') || 'data';

/** How to go on with a run, as a command. */
export function resumeCommand(command: string, folder: string): string {
  const fromHere = relative('.', folder);
  const path = fromHere.startsWith('..') ? folder : fromHere;
  return `winnow ${command} --resume --out ${path}`;
}

/** All options but where the run is kept, and how far it goes. */
function resultOptions(options: GivenOptions, changeable: readonly string[]): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(options).flatMap(([key, value]) =>
      key === 'out' || changeable.includes(key) || value === undefined ? [] : [[key, toJson(value)]],
    ),
  );
}

function changes(record: RunRecord, options: Readonly<Record<string, Json>>): string[] {
  const before = flatten(record.options);
  const now = flatten(options);
  return [...new Set([...before.keys(), ...now.keys()])].flatMap((key) => {
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

/** Options by dotted key, as canonical JSON. */
function flatten(options: Readonly<Record<string, Json>>, prefix = ''): Map<string, string> {
  return new Map(
    Object.entries(options).flatMap(([key, value]): [string, string][] =>
      isRecord(value) ? [...flatten(value, `${prefix}${key}.`)] : [[prefix + key, canonicalJson(value)]],
    ),
  );
}

const isRecord = (value: Json): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`cannot make the run folder ${folder}: ${reason}`);
  }
}
