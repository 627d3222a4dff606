import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type SnapshotStore, UserError, canonicalJson } from '@winnow/core';
import type { StartedEngine } from '@winnow/engine';
import { clearTemporaryFiles, fileSnapshotStore, writeJson } from '@winnow/formats';
import { type Metrics, metricsFile } from './metrics';
import { LOG_FOLDER } from '../results/event-name';
import type { PlannedRun } from './plan-run';
import { PROOF_FOLDER } from './proof-folder';
import { refuseLinked } from './own-file';
import { RECORD_FILE, type RunRecord, readRecord, recordFormat } from './record';
import { type RunLock, lockRun } from './run-lock';

/** The folders in which a run keeps what it writes, beside its files. */
const OWN_FOLDERS = ['checkpoints', 'model', 'dense', 'tickets', 'start', PROOF_FOLDER, LOG_FOLDER] as const;

/** The folder of a run that has begun. */
export interface RunFolder {
  readonly folder: string;
  readonly record: RunRecord;
  readonly store: SnapshotStore;
  readonly metrics: Metrics;
  /** The file that they stand in. */
  readonly metricsFile: string;
  /** Where the model of the run is saved. */
  readonly modelFolder: string;
  /** Held from the beginning: whoever ends the work lets go. */
  readonly lock: RunLock;
}

/**
 * Makes the folder and writes the record, unless the run is resumed.
 * @throws {UserError} when the folder cannot be made, another process is working in it, or what a resumed run began with
 * has changed.
 */
export async function beginRun(
  { folder, command, recorded, hash, identity, paths, record: resumed, remarks }: PlannedRun,
  { engine, version, sourceWeights }: { engine: StartedEngine; version: string; sourceWeights?: string },
): Promise<RunFolder> {
  // A finished run may be looked at whatever has changed, but not be taken further.
  if (resumed?.identity !== undefined && identity === undefined) {
    throw new UserError(`the run in ${folder} cannot go on. ${remarks.join(' ')}`);
  }
  const record: RunRecord =
    resumed === undefined
      ? {
          command,
          options: recorded,
          hash,
          engine: engine.name,
          precision: engine.precision,
          threads: engine.threads,
          device: engine.device,
          winnow: version,
          ...(identity === undefined ? {} : { identity }),
          paths,
          ...(sourceWeights === undefined ? {} : { sourceWeights }),
        }
      : resumed.identity === undefined
        ? resumed
        : { ...resumed, paths };
  await makeFolder(folder);
  for (const name of OWN_FOLDERS) refuseLinked(join(folder, name));
  const lock = lockRun(folder);
  try {
    await clearTemporaryFiles(folder);
    await claim(folder, record, resumed, sourceWeights);
  } catch (error) {
    lock.release();
    throw error;
  }
  const measured = join(folder, 'metrics.jsonl');
  return {
    folder,
    record,
    store: fileSnapshotStore(join(folder, 'checkpoints')),
    metrics: metricsFile(measured),
    metricsFile: measured,
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
    if (resumed.sourceWeights !== sourceWeights) {
      throw new UserError(
        `the model that the run in ${folder} started from has changed since: start a new run`,
      );
    }
    if (canonicalJson({ ...resumed.paths }) === canonicalJson({ ...record.paths })) return;
    await writeRecord(folder, record);
    return;
  }
  // Another process may have made a run here since the folder was looked at.
  if ((await readRecord(folder)) !== undefined) {
    throw new UserError(`${folder} has just become the folder of another run: choose another one with --out`);
  }
  await writeRecord(folder, record);
}

const writeRecord = (folder: string, record: RunRecord): Promise<void> =>
  writeJson(join(folder, RECORD_FILE), record, recordFormat);

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`cannot make the run folder ${folder}: ${reason}`);
  }
}
