import type { Latency, LatencyConfig } from '@winnow/comparison';
import { InterruptedError, disposeTree } from '@winnow/core';
import { FormatError, type JsonFileFormat, readJsonIfThere, writeJson } from '@winnow/formats';
import { z } from 'zod';
import { openModel } from '../model-source/open-model';
import { latencyOn } from '../training/latency';
import { readableOr } from '../run-folder/summary';
import type { Workload } from '../workload/workload';
import type { ComparisonFolder, ComparisonRecord } from './comparison-folder';
import { keyOfData, openDataOfRun } from './data-of-run';

const BATCH_SIZES = [1, 32] as const;

type Rounds = readonly (readonly Latency[])[];

const rounds: z.ZodType<Rounds> = z.array(
  z.array(z.object({ batchSize: z.int(), p50Ms: z.number(), p95Ms: z.number() })),
);

/**
 * The findings of each round, and where they were made: what another machine or engine needs says nothing about this
 * one.
 */
export const latencyFile = z.union([
  z.object({ measuredOn: z.string(), rounds }),
  // Before the machine was named.
  rounds.transform((rounds) => ({ measuredOn: undefined, rounds })),
]);

const format: JsonFileFormat<z.output<typeof latencyFile>> = {
  schema: latencyFile,
  what: 'the latencies of a model',
  style: 'compact',
};

/** The engine and the machine that latencies are measured on, in words. */
export const measuredOn = ({ engine, hardware }: Pick<ComparisonRecord, 'engine' | 'hardware'>): string =>
  `${engine}; ${hardware}`;

const fileOf = async (folder: ComparisonFolder, id: string): Promise<z.output<typeof latencyFile>> =>
  (await readJsonIfThere(folder.latencyFile(id), format)) ?? { measuredOn: undefined, rounds: [] };

/**
 * Reads, for each batch size, the round that was disturbed least; nothing before the first.
 * @param place Where it must have been measured; what an earlier version did not name counts as well.
 * @throws {FormatError} when what was measured cannot be read.
 */
export async function readLatencies(folder: ComparisonFolder, id: string, place: string): Promise<Latency[]> {
  const { measuredOn: there, rounds } = await fileOf(folder, id);
  const found = there === undefined || there === place ? rounds.flat() : [];
  return BATCH_SIZES.flatMap((batchSize) =>
    found
      .filter((each) => each.batchSize === batchSize)
      .sort((a, b) => a.p50Ms - b.p50Ms)
      .slice(0, 1),
  );
}

/**
 * Measures how long the models of finished jobs take, with nothing else running: what jobs side by side measure of
 * themselves says more about their neighbours.
 * A model that cannot be read is left out.
 * @param ids Of finished jobs; rounds that are measured already, at the same place, are left out.
 * @param timing What else a machine does makes a model slower for a while and never faster: with several rounds over all models, each
 *   has as many chances, minutes apart, to be measured undisturbed.
 * @param place The engine that is running, and the machine.
 * @param note Told each round that measures something, and what cannot be read.
 * @throws {InterruptedError} when it was stopped; what is measured is kept.
 */
export async function measureLatencies(
  folder: ComparisonFolder,
  ids: readonly string[],
  timing: LatencyConfig,
  place: string,
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<void> {
  const data = new Map<string, Workload>();
  const known = new Map<string, Rounds>();
  for (const id of ids) {
    const file = await readableOr(fileOf(folder, id), note);
    known.set(id, file?.measuredOn === place ? file.rounds : []);
  }
  for (let round = 1; round <= timing.rounds; round++) {
    let announced = false;
    for (const id of ids) {
      if (signal.aborted) throw new InterruptedError();
      const earlier = known.get(id);
      if (earlier === undefined || earlier.length >= round) continue;
      if (!announced)
        note(`measuring latencies, one model after the other: round ${round} of ${timing.rounds}`);
      announced = true;
      const found = await latenciesOf(folder.runFolder(id), timing, data).catch((error: unknown) => {
        if (!(error instanceof FormatError)) throw error;
        note(error.message);
      });
      if (found === undefined) {
        known.delete(id);
        continue;
      }
      known.set(id, [...earlier, found]);
      await writeJson(folder.latencyFile(id), { measuredOn: place, rounds: [...earlier, found] }, format);
    }
  }
}

async function latenciesOf(
  runFolder: string,
  { passes }: LatencyConfig,
  known: Map<string, Workload>,
): Promise<Latency[]> {
  const opened = await openModel(runFolder);
  const { model, params } = opened;
  try {
    // The same pictures for every model of a task, opened once.
    const key = await keyOfData(runFolder);
    const workload = known.get(key) ?? (await openDataOfRun(opened, runFolder));
    known.set(key, workload);
    const found: Latency[] = [];
    for (const batchSize of BATCH_SIZES) {
      found.push({ batchSize, ...(await latencyOn(workload, model, params, { batchSize, passes })) });
    }
    return found;
  } finally {
    disposeTree(params);
  }
}
