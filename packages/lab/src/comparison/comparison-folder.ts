import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Job } from '@winnow/comparison';
import { type Json, UserError } from '@winnow/core';
import {
  FormatError,
  type JsonFileFormat,
  digestOfFile,
  readJson,
  readJsonIfThere,
  writeJson,
  clearTemporaryFiles,
} from '@winnow/formats';
import { z } from 'zod';
import { namesIn } from '../run-folder/output-folder';
import { recordIfAny } from '../run-folder/record';
import { type Summary, checkRun, readSummary } from '../run-folder/summary';
import { comparisonIdentity, workloadPaths } from './comparison-identity';

const RECORD_FILE = 'comparison.json';
/** No worker writes for so long; what is half-written since then belongs to one that was killed. */
const SILENCE_MS = 3_600_000;

const json: z.ZodType<Json> = z.json();

/** The request for a comparison, and where it was started. */
const comparisonRecord = z.object({
  kind: z.literal('comparison'),
  /** As it was given, before defaults: what reproduces it. */
  given: json,
  /** The engine that computes all runs, with its settings. */
  run: z.record(z.string(), json),
  /** Its description in one line. */
  engine: z.string(),
  winnow: z.string(),
  commit: z.string().exactOptional(),
  hardware: z.string(),
  node: z.string(),
  command: z.string(),
  /** Everything that the results depend on beside the config. Records from before this was looked at lack it. */
  identity: comparisonIdentity.exactOptional(),
  paths: workloadPaths.exactOptional(),
});
export type ComparisonRecord = z.output<typeof comparisonRecord>;

const recordFormat: JsonFileFormat<ComparisonRecord> = {
  schema: comparisonRecord,
  what: 'the record of a comparison',
};

const failureFormat: JsonFileFormat<{ readonly message: string }> = {
  schema: z.object({ message: z.string() }),
  what: 'what a run failed of',
  style: 'compact',
};

/** The files of a comparison. */
export interface ComparisonFolder {
  readonly folder: string;
  /** The name that queues and workers of this comparison give it. */
  readonly queueName: string;
  runFolder(id: string): string;
  /** Where the options of a job are written for the command line. */
  configFile(id: string): string;
  leaseFile(id: string): string;
  latencyFile(id: string): string;
  file(name: string): string;
}

/** @throws {UserError} when the folder cannot be made. */
export async function makeComparisonFolder(path: string): Promise<ComparisonFolder> {
  const folder = resolve(path);
  try {
    for (const name of ['runs', 'configs', 'leases', 'failures', 'latencies']) {
      await mkdir(join(folder, name), { recursive: true });
      await clearTemporaryFiles(join(folder, name), SILENCE_MS);
    }
    await clearTemporaryFiles(folder, SILENCE_MS);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`cannot make the folder of the comparison, ${path}: ${reason}`);
  }
  return comparisonFolder(folder);
}

export function comparisonFolder(path: string): ComparisonFolder {
  const folder = resolve(path);
  return {
    folder,
    queueName: `winnow-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`,
    runFolder: (id) => join(folder, 'runs', id),
    configFile: (id) => join(folder, 'configs', `${id}.json`),
    leaseFile: (id) => join(folder, 'leases', `${id}.lock`),
    latencyFile: (id) => join(folder, 'latencies', `${id}.json`),
    file: (name) => join(folder, name),
  };
}

export const isComparison = (path: string): boolean => existsSync(join(path, RECORD_FILE));

export async function writeComparisonRecord(
  { file }: ComparisonFolder,
  record: ComparisonRecord,
): Promise<void> {
  await writeJson(file(RECORD_FILE), record, recordFormat);
}

/** @throws {UserError} when there is no comparison in the folder. @throws {FormatError} when its record is damaged. */
export async function readComparisonRecord(path: string): Promise<ComparisonRecord> {
  if (!isComparison(path)) {
    throw new UserError(`there is no comparison in ${path}: winnow compare makes one`);
  }
  return readJson(join(path, RECORD_FILE), recordFormat);
}

/** Anything else than a comparison in a folder that is asked for by name is somebody's work. */
export async function refuseForeignFolder(path: string): Promise<void> {
  if (isComparison(path)) return;
  const entries = await namesIn(path);
  // A comparison that was killed before it wrote its record left nothing but empty folders.
  if (entries.every((name) => ['runs', 'configs', 'leases', 'failures', 'latencies'].includes(name))) return;
  throw new UserError(`${path} is not empty and not a comparison: choose another folder with --out`);
}

export async function writeFailure({ folder }: ComparisonFolder, id: string, message: string): Promise<void> {
  await writeJson(failureFile(folder, id), { message }, failureFormat);
}

export async function clearFailure({ folder }: ComparisonFolder, id: string): Promise<void> {
  await rm(failureFile(folder, id), { force: true });
}

/** Why a job failed, if it did. @throws {FormatError} when that cannot be read. */
export async function readFailure({ folder }: ComparisonFolder, id: string): Promise<string | undefined> {
  return (await readJsonIfThere(failureFile(folder, id), failureFormat))?.message;
}

const failureFile = (folder: string, id: string): string => join(folder, 'failures', `${id}.json`);

/**
 * The summary of a job's run; undefined when it has not finished.
 * @throws {FormatError} when there is one that cannot be read, or is of another run than the record beside it.
 */
export async function summaryIn(runFolder: string): Promise<Summary | undefined> {
  const summary = await readSummary(runFolder);
  if (summary === undefined) return undefined;
  // A record that cannot be read says nothing against the results.
  const record = await recordIfAny(runFolder).catch((error: unknown) => {
    if (error instanceof FormatError) return undefined;
    throw error;
  });
  if (record !== undefined) checkRun(runFolder, summary, record.hash);
  return summary;
}

/** Whether a job has come to its end: its summary is there and can be read. */
export async function isDone({ runFolder }: ComparisonFolder, { id }: Pick<Job, 'id'>): Promise<boolean> {
  try {
    return (await summaryIn(runFolder(id))) !== undefined;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/** SHA-256 of the weights that a run saved. @throws {FormatError} when they cannot be read. */
export const weightsDigest = (runFolder: string): Promise<string> =>
  digestOfFile(join(runFolder, 'model', 'model.safetensors'));
