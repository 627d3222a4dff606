import { access, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '@winnow/core';
import { devicePattern, engineNames, precisions } from '@winnow/engine';
import { FormatError, type JsonFileFormat, readJson } from '@winnow/formats';
import { z } from 'zod';
import { runIdentity } from '../identity/run-identity';
import { chosenIn, givenValues } from '../options/given';
import type { EngineChoice } from '../options/training';
import { LOCK_FILE } from './run-lock';

export const RECORD_FILE = 'config.json';

/** The request for a run: all that its result depends on. */
const runRecord = z.object({
  command: z.string(),
  /** Every option with its value, nested as in a config file. */
  options: givenValues,
  hash: z.string(),
  /** The engine that computes: another would end in other bytes. */
  engine: z.enum(engineNames),
  /** The precision that it computes in, for the same reason. Records of before there was a choice lack these. */
  precision: z.enum(precisions).default('f32'),
  threads: z.int().positive().exactOptional(),
  device: z.string().regex(devicePattern).exactOptional(),
  winnow: z.string(),
  /** Everything that the result depends on beside the options. Records from before this was looked at lack it. */
  identity: runIdentity.exactOptional(),
  /** Options that name something by a relative path, with the path from the root on. */
  paths: z.record(z.string(), z.string()).exactOptional(),
  /** SHA-256 of the weights that the run started from, where it was given a model. */
  sourceWeights: z.string().exactOptional(),
});
export type RunRecord = z.output<typeof runRecord>;

export const recordFormat: JsonFileFormat<RunRecord> = {
  schema: runRecord,
  what: 'the record of a Winnow run',
};

/** Chooses what computes in a run: that of the run which is resumed, otherwise what is asked for. */
export function engineChoice(record: RunRecord | undefined, asked: EngineChoice): EngineChoice {
  return record ?? asked;
}

/**
 * The record of a run folder; undefined where the folder is missing or empty.
 * @throws {UserError} when the folder holds something else than a run.
 * @throws {FormatError} when the record cannot be read, or is none.
 */
export async function readRecord(folder: string): Promise<RunRecord | undefined> {
  const entries = (await entriesIn(folder)).filter((name) => name !== LOCK_FILE);
  if (entries.length === 0) return undefined;
  if (!entries.includes(RECORD_FILE)) {
    throw new UserError(`${folder} is not empty and not a run folder: choose another one with --out`);
  }
  return readJson(join(folder, RECORD_FILE), recordFormat);
}

/** Names that only a run's folder has, soon after it began: checkpoints of others have a `config.json` too. */
const SIGNS_OF_A_RUN = ['metrics.jsonl', 'checkpoints', 'summary.json'];

/**
 * The record, if the folder is a run's; otherwise undefined, whatever else it is.
 * @throws {FormatError} when the folder is a run's and its record is damaged.
 */
export async function recordIfAny(folder: string): Promise<RunRecord | undefined> {
  try {
    return await readRecord(folder);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    if (!(error instanceof FormatError)) throw error;
    const entries = await entriesIn(folder);
    if (SIGNS_OF_A_RUN.some((name) => entries.includes(name))) throw error;
    return undefined;
  }
}

const recordedChoices = z.object({
  task: z.string().optional(),
  data: z.string().optional(),
  images: z.string().optional(),
});

/**
 * The task and the data of a run, as options say them: for what goes on from its model.
 * @param path The run's folder, or that of a model in it. Nothing is known of a model from elsewhere.
 */
export async function choicesOfRun(path: string): Promise<z.output<typeof recordedChoices>> {
  const record = await recordOfModel(path);
  return record === undefined ? {} : chosenIn(recordedChoices, record.options);
}

/** The record of the run that a model is of. @param path The run's folder, or that of a model in it. */
export const recordOfModel = async (path: string): Promise<RunRecord | undefined> =>
  (await recordIfAny(path)) ?? recordIfAny(dirname(resolve(path)));

async function entriesIn(folder: string): Promise<string[]> {
  try {
    await access(folder);
  } catch {
    return [];
  }
  try {
    return await readdir(folder);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`${folder} cannot be used as a run folder: ${reason}`);
  }
}
