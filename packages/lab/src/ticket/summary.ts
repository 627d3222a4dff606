import { join } from 'node:path';
import { ledgerEntrySchema } from '@winnow/core';
import { type JsonFileFormat, readJsonIfThere, writeJson } from '@winnow/formats';
import { z } from 'zod';
import { hasMetric, knownMetric } from '../run-folder/summary';

const SUMMARY_FILE = 'summary.json';

const scores = z.record(z.string(), z.number());
const common = { metric: z.string(), data: z.string(), task: z.string(), ledger: z.array(ledgerEntrySchema) };
const shares = z.array(z.object({ place: z.string(), kept: z.number() }));

export const findSummary = z
  .object({
    command: z.literal('ticket find'),
    ...common,
    /** The highest sparsity that was asked for. */
    to: z.number(),
    /** From the dense model to the sparsest, each trained under its mask to the end of a round. */
    tickets: z.array(
      z.object({
        round: z.int(),
        sparsity: z.number(),
        /** In the run folder; the dense model has none. */
        file: z.string().exactOptional(),
        kept: shares,
        /** On the test split. */
        scores,
      }),
    ),
  })
  .refine(({ metric, tickets }) => hasMetric(metric, ...tickets.map(({ scores }) => scores)), knownMetric);
export type FindSummary = z.output<typeof findSummary>;

export const trainSummary = z
  .object({
    command: z.literal('ticket train'),
    ...common,
    sparsity: z.number(),
    control: z.string(),
    kept: shares,
    parameters: z.int(),
    macs: z.number(),
    bytes: z.int(),
    scores,
  })
  .refine(({ metric, scores }) => hasMetric(metric, scores), knownMetric);
export type TicketTrainSummary = z.output<typeof trainSummary>;

const verdict = z.object({
  scores: z.array(z.number()),
  count: z.int(),
  mean: z.number(),
  deviation: z.number(),
  relative: z.number().nullable(),
  isRelaxedWinning: z.boolean(),
  isWithinDeviation: z.boolean(),
});

export const transferSummary = z.object({
  command: z.literal('ticket transfer'),
  /** Tasks and data that tickets were trained on. */
  onto: z.array(z.object({ name: z.string(), metric: z.string(), dense: z.array(z.number()) })),
  rows: z.array(
    z.object({
      ticket: z.string(),
      control: z.string(),
      sparsity: z.number(),
      /** In the order of `onto`. */
      cells: z.array(verdict),
    }),
  ),
  ledger: z.array(ledgerEntrySchema),
});
export type TransferSummary = z.output<typeof transferSummary>;

const formatOf = <Summary>(schema: z.ZodType<Summary>): JsonFileFormat<Summary> => ({
  schema,
  what: 'the summary of this command',
});

/**
 * The summary of a run; undefined when it has not finished.
 * @throws {FormatError} when it cannot be read, or is of another command.
 */
export const readTicketSummary = <Summary>(
  folder: string,
  schema: z.ZodType<Summary>,
): Promise<Summary | undefined> => readJsonIfThere(join(folder, SUMMARY_FILE), formatOf(schema));

/** @throws {FormatError} when a result is no number, or the file cannot be written. */
export const writeTicketSummary = <Summary>(
  folder: string,
  summary: Summary,
  schema: z.ZodType<Summary>,
): Promise<void> => writeJson(join(folder, SUMMARY_FILE), summary, formatOf(schema));
