import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Latency } from '@winnow/comparison';
import { InterruptedError, disposeTree } from '@winnow/core';
import { writeAtomically } from '@winnow/formats';
import { z } from 'zod';
import { type OpenedModel, openModel } from '../model-source/open-model';
import { latencyOn } from '../training/latency';
import { readRecord } from '../run-folder/record';
import { dataOfRun } from '../run-folder/run-data';
import type { Workload } from '../workload/workload';
import { workloadIn } from '../workload/choice';
import type { ComparisonFolder, ComparisonRecord } from './comparison-folder';

const BATCH_SIZES = [1, 32] as const;

/**
 * How often all models are measured in turn. What else a machine does makes a model slower for a while and never faster:
 * each model has five chances, minutes apart, to be measured undisturbed.
 */
const ROUNDS = 5;

const rounds: z.ZodType<readonly (readonly Latency[])[]> = z.array(
  z.array(z.object({ batchSize: z.int(), p50Ms: z.number(), p95Ms: z.number() })),
);

/** What each round found, and where: what another machine or engine needs says nothing about this one. */
export const latencyFile = z.union([
  z.object({ measuredOn: z.string(), rounds }),
  // Before the machine was named.
  rounds.transform((rounds) => ({ measuredOn: undefined, rounds })),
]);

/** The engine and the machine that latencies are measured on, in words. */
export const measuredOn = ({ engine, hardware }: Pick<ComparisonRecord, 'engine' | 'hardware'>): string =>
  `${engine}; ${hardware}`;

const fileOf = async (folder: ComparisonFolder, id: string): Promise<z.output<typeof latencyFile>> => {
  const file = folder.latencyFile(id);
  if (!existsSync(file)) return { measuredOn: undefined, rounds: [] };
  return latencyFile.parse(JSON.parse(await readFile(file, 'utf8')));
};

/**
 * Of each batch size the round that was disturbed least; nothing before the first.
 * @param place Where it must have been measured; what an earlier version did not name counts as well.
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
 * @param ids Of finished jobs; rounds that are measured already, at the same place, are left out.
 * @param place The engine that is running, and the machine.
 * @param onRound Called before each round that measures something.
 * @throws {InterruptedError} when it was stopped; what is measured is kept.
 */
export async function measureLatencies(
  folder: ComparisonFolder,
  ids: readonly string[],
  place: string,
  signal: AbortSignal,
  onRound: (round: number, rounds: number) => void,
): Promise<void> {
  const data = new Map<string, Workload>();
  for (let round = 1; round <= ROUNDS; round++) {
    let announced = false;
    for (const id of ids) {
      if (signal.aborted) throw new InterruptedError();
      const { measuredOn: there, rounds } = await fileOf(folder, id);
      const known = there === place ? rounds : [];
      if (known.length >= round) continue;
      if (!announced) onRound(round, ROUNDS);
      announced = true;
      const found = [...known, await latenciesOf(folder.runFolder(id), data)];
      await writeAtomically(
        folder.latencyFile(id),
        `${JSON.stringify({ measuredOn: place, rounds: found })}\n`,
      );
    }
  }
}

const dataChoice = z.looseObject({
  task: z.string(),
  data: z.string(),
  images: z.string().optional(),
});

/** The data of a run, where they are now. */
async function openedFor(
  opened: OpenedModel,
  runFolder: string,
  choice: z.output<typeof dataChoice>,
): Promise<Workload> {
  const { data = choice.data, images = choice.images } = await dataOfRun(runFolder);
  const chosen = { data, augmentation: 'auto', preload: false } as const;
  return workloadIn(choice).open(chosen, opened, { ...choice, images });
}

async function latenciesOf(runFolder: string, known: Map<string, Workload>): Promise<Latency[]> {
  const opened = await openModel(runFolder);
  const { model, params } = opened;
  try {
    const record = await readRecord(runFolder);
    const choice = dataChoice.parse(record?.options);
    // The same pictures for every model of a task, opened once.
    const key = JSON.stringify([choice.task, choice.data, choice.images, record?.paths]);
    const workload = known.get(key) ?? (await openedFor(opened, runFolder, choice));
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
