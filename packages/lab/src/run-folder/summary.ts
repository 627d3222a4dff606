import { join } from 'node:path';
import { type Json, budgetUnits, ledgerEntrySchema } from '@winnow/core';
import { precisions } from '@winnow/engine';
import { FormatError, type JsonFileFormat, readJsonIfThere, writeJson } from '@winnow/formats';
import { z } from 'zod';
import { proofOfRun } from '../proof/certificate';
import type { DataFacts } from '../workload/workload';
import { RECORD_FILE, type RunRecord } from './record';

/** Written last: where it is, the run has finished. */
export const SUMMARY_FILE = 'summary.json';

const json: z.ZodType<Json> = z.json();
const scores = z.record(z.string(), z.number());
const milestones = z.array(z.object({ step: z.int(), epochs: z.number(), scores }));
/** With patience: the evaluation whose weights were kept. */
const best = z.object({ step: z.int(), epochs: z.number() }).exactOptional();
const latency = z.object({ p50Ms: z.number(), p95Ms: z.number() });
const size = z.object({ parameters: z.int(), macs: z.number(), bytes: z.int(), latency });
const common = {
  run: z.object({
    hash: z.string(),
    engine: z.string(),
    precision: z.enum(precisions).default('f32'),
    winnow: z.string(),
  }),
  data: z.object({
    name: z.string(),
    classes: z.int().exactOptional(),
    train: z.int(),
    validation: z.int(),
    test: z.int(),
  }),
  /** Name of the score that models are compared by. */
  metric: z.string(),
  ledger: z.array(ledgerEntrySchema),
  /** Time of the process that finished the run; the ledger has the phases' own times, over all processes. */
  wallSeconds: z.number(),
};

/** Models are compared by their score of this name: it must be there. */
export const hasMetric = (metric: string, ...all: Readonly<Record<string, number>>[]): boolean =>
  all.every((scores) => Object.hasOwn(scores, metric));
export const knownMetric = { path: ['metric'], message: 'expected the name of a score that is there' };

const trainSummary = z
  .object({
    command: z.literal('train'),
    ...common,
    model: size.extend({
      /** On the validation split during the training, by steps done. */
      milestones,
      best,
      /** On the test split. */
      scores,
    }),
  })
  .refine(({ metric, model }) => hasMetric(metric, model.scores), knownMetric);

const compressSummary = z
  .object({
    command: z.literal('compress'),
    ...common,
    method: z.object({ name: z.string(), options: z.record(z.string(), json) }),
    budget: z.object({ unit: z.enum(budgetUnits), keep: z.number() }),
    /** A budget in milliseconds has these, in shares of the dense model's: the latency asked for, the multiply–accumulates that came to, the latency predicted and measured. */
    latencyBudget: z
      .object({
        keep: z.number(),
        macs: z.number(),
        predicted: z.number(),
        denseMs: z.number(),
        measured: z.number(),
      })
      .exactOptional(),
    /** In the budget's unit. */
    achieved: z.object({ removed: z.number(), asked: z.number(), total: z.number() }),
    /** With a reconstruction, by site the error of what it adds: of the plain cut, and after it. */
    reconstruction: z.record(z.string(), z.object({ before: z.number(), after: z.number() })).exactOptional(),
    /** The times that it is smaller, in every unit. */
    ratios: z.record(z.string(), z.number()),
    /** All scores on the test split. */
    dense: size.extend({ scores }),
    /** The proof at the end; nothing where none was asked for. */
    proof: proofOfRun.exactOptional(),
    compressed: size.extend({
      masked: scores,
      cut: scores,
      milestones,
      best,
      retrained: scores,
      /** On the validation split, retrained: what choices are made by. */
      validation: scores.exactOptional(),
    }),
  })
  .refine(
    ({ metric, dense, compressed: { masked, cut, retrained } }) =>
      hasMetric(metric, dense.scores, masked, cut, retrained),
    knownMetric,
  );

const summary = z.discriminatedUnion('command', [trainSummary, compressSummary]);
export type TrainSummary = z.output<typeof trainSummary>;
export type CompressSummary = z.output<typeof compressSummary>;
/** The results of a run. Their presence in a run folder means that the run has finished. */
export type Summary = z.output<typeof summary>;

/** The compressed model's scores after the first epoch of its retraining; undefined where it was not as long. */
export const scoresAfterOneEpoch = ({ compressed }: Pick<CompressSummary, 'compressed'>) =>
  compressed.milestones.find(({ epochs }) => epochs === 1)?.scores;

/** Summarises what all commands say in the same way. */
export function commonSummary(
  { hash, engine, precision, winnow }: RunRecord,
  data: DataFacts,
  metric: string,
): Pick<Summary, 'run' | 'data' | 'metric'> {
  return { run: { hash, engine, precision, winnow }, data: { ...data }, metric };
}

const summaryFormat: JsonFileFormat<Summary> = { schema: summary, what: 'the summary of a Winnow run' };

const fileIn = (folder: string): string => join(folder, SUMMARY_FILE);

/** @throws {FormatError} when a result is no number, or the file cannot be written. */
export const writeSummary = (folder: string, content: Summary): Promise<void> =>
  writeJson(fileIn(folder), content, summaryFormat);

/**
 * The summary of a run; undefined when it has not finished.
 * @throws {FormatError} when there is one that cannot be read.
 */
export const readSummary = (folder: string): Promise<Summary | undefined> =>
  readJsonIfThere(fileIn(folder), summaryFormat);

/**
 * The summary of a training; undefined when it has not finished.
 * @throws {FormatError} when there is one that cannot be read, or is of another run.
 */
export const readTrainSummary = (
  folder: string,
  run: Pick<RunRecord, 'hash'>,
): Promise<TrainSummary | undefined> =>
  summaryOfRun(folder, run, { schema: trainSummary, what: 'the summary of a training' });

/** Like `readTrainSummary`, of a compression. */
export const readCompressSummary = (
  folder: string,
  run: Pick<RunRecord, 'hash'>,
): Promise<CompressSummary | undefined> =>
  summaryOfRun(folder, run, { schema: compressSummary, what: 'the summary of a compression' });

async function summaryOfRun<Found extends Summary>(
  folder: string,
  { hash }: Pick<RunRecord, 'hash'>,
  format: JsonFileFormat<Found>,
): Promise<Found | undefined> {
  const found = await readJsonIfThere(fileIn(folder), format);
  if (found !== undefined) checkRun(folder, found, hash);
  return found;
}

/** @throws {FormatError} when a summary is of another run than the record beside it. */
export function checkRun(folder: string, { run }: Pick<Summary, 'run'>, hash: string): void {
  if (run.hash === hash) return;
  throw new FormatError(
    `${fileIn(folder)}: expected the summary of the run ${hash}, as ${RECORD_FILE} says, got that of ${run.hash}`,
  );
}

/**
 * Gives what was read, or nothing where it was damaged: a summary that cannot be read is no reason not to make it again
 * from the checkpoints.
 * @param note Told why it is made again.
 */
export async function readableOr<Content>(
  reading: Promise<Content | undefined>,
  note: (text: string) => void,
): Promise<Content | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    note(`${error.message}\nIt is made again.`);
    return undefined;
  }
}
