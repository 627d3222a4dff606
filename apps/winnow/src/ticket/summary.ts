import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError, ledgerEntrySchema } from '@winnow/core';
import { writeAtomically } from '@winnow/formats';
import { z } from 'zod';

const SUMMARY_FILE = 'summary.json';

const scores = z.record(z.string(), z.number());
const common = { metric: z.string(), data: z.string(), task: z.string(), ledger: z.array(ledgerEntrySchema) };
const shares = z.array(z.object({ place: z.string(), kept: z.number() }));

export const findSummary = z.object({
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
});
export type FindSummary = z.output<typeof findSummary>;

export const trainSummary = z.object({
  command: z.literal('ticket train'),
  ...common,
  sparsity: z.number(),
  control: z.string(),
  kept: shares,
  parameters: z.int(),
  macs: z.number(),
  bytes: z.int(),
  scores,
});
export type TicketTrainSummary = z.output<typeof trainSummary>;

const verdict = z.object({
  scores: z.array(z.number()),
  count: z.int(),
  mean: z.number(),
  deviation: z.number(),
  relative: z.number(),
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

/** The summary of a run; undefined when it has not finished. @throws {UserError} when it is of another command. */
export async function readTicketSummary<Summary>(
  folder: string,
  schema: z.ZodType<Summary>,
): Promise<Summary | undefined> {
  const file = join(folder, SUMMARY_FILE);
  if (!existsSync(file)) return undefined;
  const parsed = schema.safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (!parsed.success) throw new UserError(`${file} is not the summary of this command`);
  return parsed.data;
}

export async function writeTicketSummary(folder: string, summary: object): Promise<void> {
  await writeAtomically(join(folder, SUMMARY_FILE), `${JSON.stringify(summary, undefined, 2)}\n`);
}
