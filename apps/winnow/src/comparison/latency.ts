import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Latency } from '@winnow/comparison';
import { InterruptedError, disposeTree } from '@winnow/core';
import { writeAtomically } from '@winnow/formats';
import { z } from 'zod';
import { openModel } from '../model-source/open-model';
import { latencyOn } from '../training/latency';
import { readRecord } from '../run-folder/record';
import type { Workload } from '../workload/workload';
import { workloadIn } from '../workload/choice';
import type { ComparisonFolder } from './comparison-folder';

const BATCH_SIZES = [1, 32] as const;

const latencies: z.ZodType<readonly Latency[]> = z.array(
  z.object({ batchSize: z.int(), p50Ms: z.number(), p95Ms: z.number() }),
);

export async function readLatencies(folder: ComparisonFolder, id: string): Promise<readonly Latency[]> {
  const file = folder.latencyFile(id);
  return existsSync(file) ? latencies.parse(JSON.parse(await readFile(file, 'utf8'))) : [];
}

/**
 * Measures how long the models of finished jobs take, one after the other and with nothing else running: what jobs side
 * by side measure of themselves says more about their neighbours.
 * @param ids Of finished jobs; those that are measured already are left out.
 * @throws {InterruptedError} when it was stopped; what is measured is kept.
 */
export async function measureLatencies(
  folder: ComparisonFolder,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const data = new Map<string, Workload>();
  for (const id of ids) {
    if (signal.aborted) throw new InterruptedError();
    if (existsSync(folder.latencyFile(id))) continue;
    const found = await latenciesOf(folder.runFolder(id), data);
    await writeAtomically(folder.latencyFile(id), `${JSON.stringify(found)}\n`);
  }
}

const dataChoice = z.looseObject({
  task: z.string(),
  data: z.string(),
  images: z.string().optional(),
});

async function latenciesOf(runFolder: string, known: Map<string, Workload>): Promise<Latency[]> {
  const opened = await openModel(runFolder);
  const { model, params } = opened;
  try {
    const record = await readRecord(runFolder);
    const choice = dataChoice.parse(record?.options);
    // The same pictures for every model of a task, opened once.
    const key = JSON.stringify([choice.task, choice.data, choice.images]);
    const workload =
      known.get(key) ??
      (await workloadIn(choice).open(
        { data: choice.data, augmentation: 'auto', preload: false },
        opened,
        choice,
      ));
    known.set(key, workload);
    const found: Latency[] = [];
    for (const batchSize of BATCH_SIZES) {
      found.push({ batchSize, ...(await latencyOn(workload, model, params, batchSize)) });
    }
    return found;
  } finally {
    disposeTree(params);
  }
}
