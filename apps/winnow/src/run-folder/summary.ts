import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Json, UserError, budgetUnits, ledgerEntrySchema } from '@winnow/core';
import { precisions } from '@winnow/engine';
import { writeAtomically } from '@winnow/formats';
import { z } from 'zod';
import type { DataFacts } from '../workload/workload';
import type { RunRecord } from './record';

/** Written last: where it is, the run has finished. */
export const SUMMARY_FILE = 'summary.json';

const json: z.ZodType<Json> = z.json();
const scores = z.record(z.string(), z.number());
const milestones = z.array(z.object({ step: z.int(), epochs: z.number(), scores }));
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
  /** Of the process that finished the run; the ledger has the phases' own times, over all processes. */
  wallSeconds: z.number(),
};

const trainSummary = z.object({
  command: z.literal('train'),
  ...common,
  model: size.extend({
    /** On the validation split during the training, by steps done. */
    milestones,
    /** On the test split. */
    scores,
  }),
});

const compressSummary = z.object({
  command: z.literal('compress'),
  ...common,
  method: z.object({ name: z.string(), options: z.record(z.string(), json) }),
  budget: z.object({ unit: z.enum(budgetUnits), keep: z.number() }),
  /** In the budget's unit. */
  achieved: z.object({ removed: z.number(), asked: z.number(), total: z.number() }),
  /** How many times smaller, in every unit. */
  ratios: z.record(z.string(), z.number()),
  /** All scores on the test split. */
  dense: size.extend({ scores }),
  compressed: size.extend({
    masked: scores,
    cut: scores,
    milestones,
    retrained: scores,
    /** On the validation split, retrained: what choices are made by. */
    validation: scores.exactOptional(),
  }),
});

const summary = z.discriminatedUnion('command', [trainSummary, compressSummary]);
export type TrainSummary = z.output<typeof trainSummary>;
export type CompressSummary = z.output<typeof compressSummary>;
/** What came out of a run. Its presence in a run folder means that the run has finished. */
export type Summary = z.output<typeof summary>;

/** What the summaries of all commands say in the same way. */
export function commonSummary(
  { hash, engine, precision, winnow }: RunRecord,
  data: DataFacts,
  metric: string,
): Pick<Summary, 'run' | 'data' | 'metric'> {
  return { run: { hash, engine, precision, winnow }, data: { ...data }, metric };
}

export async function writeSummary(folder: string, content: Summary): Promise<void> {
  await writeAtomically(join(folder, SUMMARY_FILE), `${JSON.stringify(content, undefined, 2)}\n`);
}

/** The summary of a run; undefined when it has not finished. */
export async function readSummary(folder: string): Promise<Summary | undefined> {
  const file = join(folder, SUMMARY_FILE);
  if (!existsSync(file)) return undefined;
  const parsed = summary.safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (!parsed.success) throw new UserError(`${file} is not the summary of a Winnow run`);
  return parsed.data;
}
