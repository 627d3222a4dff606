import { join } from 'node:path';
import {
  type Budget,
  type Model,
  type TensorTree,
  UserError,
  type ConfiguredMethod,
  type LatencyQuestion,
  latencyTable,
  macsThatFit,
  timedShare,
} from '@winnow/core';
import { type JsonFileFormat, readJsonIfThere, writeJson } from '@winnow/formats';
import { z } from 'zod';
import type { Workload } from '../workload/workload';

/** In the run's folder: a resumed run keeps to what was measured when it began. */
const LATENCY_FILE = 'latency-budget.json';

const share = z.number().positive().max(1);
/** A budget in milliseconds as it was translated: shares of the dense model's. */
const translated = z.object({
  /** Latency that was asked for. */
  keep: share,
  /** Multiply–accumulates that fit it. */
  macs: share,
  /** Latency that a model of even widths was measured to take, which is predicted for any. */
  predicted: z.number().positive(),
  denseMs: z.number().positive(),
});
export type LatencyBudget = z.output<typeof translated>;

const format: JsonFileFormat<LatencyBudget> = { schema: translated, what: 'the latency budget of a run' };

/** @throws {UserError} when a method decides about single weights. */
export function checkTimed({ manifest }: Pick<ConfiguredMethod, 'manifest'>): void {
  if (manifest.granularity === 'weights')
    throw new UserError(
      `${manifest.name} sets single weights to 0, which take as long as others: a budget in latency needs a method that removes whole units`,
    );
}

/**
 * Translates a share of the dense model's latency, of one example, on this machine and engine, into one of its
 * multiply–accumulates: once for a run.
 * @throws {UserError} when it cannot be reached.
 */
export async function latencyBudget(
  folder: string,
  keep: number,
  { workload, model, params }: { workload: Workload; model: Model; params: TensorTree },
  { note, signal }: { note(line: string): void; signal?: AbortSignal | undefined },
): Promise<LatencyBudget> {
  const file = join(folder, LATENCY_FILE);
  const known = await readJsonIfThere(file, format);
  if (known !== undefined) return known;
  note('timing layers by their width');
  const question: LatencyQuestion = {
    model,
    params,
    batch: await workload.test.batch([0]),
    taskOf: (own) => workload.taskOf(own),
    ...(signal === undefined ? {} : { signal }),
  };
  const table = await latencyTable(question);
  const { macs, latency } = await macsThatFit(model, table, keep, (decision) =>
    timedShare(question, decision),
  );
  const found = { keep, macs, predicted: latency, denseMs: table.denseMs };
  note(
    `${percent(keep)} of the latency, ${table.denseMs.toFixed(2)} ms: ${percent(macs)} of the multiply–accumulates`,
  );
  await writeJson(file, found, format);
  return found;
}

export const macsOf = ({ macs }: LatencyBudget): Budget => ({ unit: 'macs', keep: macs });

const percent = (part: number): string => `${Number((100 * part).toFixed(1))} %`;
