import type {
  ComparisonPlan,
  DenseMeasurement,
  Failure,
  Job,
  Latency,
  Measurement,
  Outcomes,
  Point,
} from '@winnow/comparison';
import type { LedgerEntry } from '@winnow/core';
import { FormatError } from '@winnow/formats';
import { type Summary, scoresAfterOneEpoch } from '../run-folder/summary';
import { type ComparisonFolder, readFailure, summaryIn } from './comparison-folder';
import { readLatencies } from './latency';

/**
 * Reads what the runs of a comparison left in its folder.
 * @param jobs Of the plan's points, in its order; none where the dense model is missing.
 * @param place Where latencies must have been measured.
 */
export async function outcomesIn(
  folder: ComparisonFolder,
  { dense, points }: ComparisonPlan,
  jobs: readonly (Job | undefined)[],
  place: string,
): Promise<Outcomes> {
  const unreadable: Failure[] = [];
  const trained = await inOrder(
    dense,
    async ({ workload, seed, job }): Promise<DenseMeasurement | Failure> => {
      const failed = (message: string) => ({ job: job.id, workload, seed, what: 'dense training', message });
      const { summary, latencies, fault } = await filesOf(folder, job, place, (message) => {
        unreadable.push({ ...failed(message), what: 'latencies of the dense model' });
      });
      if (fault !== undefined) return failed(fault);
      if (summary?.command !== 'train') return failed('it has not finished');
      const { parameters, macs, bytes, scores } = summary.model;
      return {
        job: job.id,
        workload,
        seed,
        metric: summary.metric,
        testExamples: summary.data.test,
        scores,
        trainingMacs: spent(summary.ledger),
        ledger: summary.ledger,
        parameters,
        macs,
        bytes,
        latencies,
      };
    },
  );
  const compressed = await inOrder(points, (point, index) =>
    pointOutcome(folder, point, jobs[index], { place, unreadable }),
  );
  const both = [...trained, ...compressed];
  return {
    dense: trained.flatMap((one) => ('message' in one ? [] : [one])),
    measurements: compressed.flatMap((one) => ('message' in one ? [] : [one])),
    failures: [...both.flatMap((one) => ('message' in one ? [one] : [])), ...unreadable],
  };
}

/** One after the other: a comparison may have more runs than a process may have files open. */
async function inOrder<Item, Result>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const [index, item] of items.entries()) results.push(await work(item, index));
  return results;
}

async function pointOutcome(
  folder: ComparisonFolder,
  { contender, seed, learningRate }: Point,
  job: Job | undefined,
  { place: measuredOn, unreadable }: { readonly place: string; readonly unreadable: Failure[] },
): Promise<Measurement | Failure> {
  const place = { ...contender, seed, learningRate };
  const failed = (message: string): Failure => ({
    ...(job === undefined ? {} : { job: job.id }),
    workload: contender.workload,
    seed,
    what: `${contender.label}, ${contender.budget}, ${contender.track}`,
    message,
    point: place,
  });
  if (job === undefined) return failed('there is no dense model to begin with');
  const { summary, latencies, fault } = await filesOf(folder, job, measuredOn, (message) => {
    // Without its place: the run itself has not failed.
    const { point: _place, what, ...rest } = failed(message);
    unreadable.push({ ...rest, what: `latencies of ${what}` });
  });
  if (fault !== undefined) return failed(fault);
  if (summary?.command !== 'compress') return failed('it has not finished');
  const { parameters, macs, bytes, masked, cut, retrained, validation } = summary.compressed;
  const afterOneEpoch = scoresAfterOneEpoch(summary);
  const { ledger } = summary;
  const peaks = ledger.flatMap(({ peakMemoryBytes }) => peakMemoryBytes ?? []);
  return {
    ...place,
    job: job.id,
    metric: summary.metric,
    testExamples: summary.data.test,
    masked,
    cut,
    retrained,
    ...(afterOneEpoch === undefined ? {} : { afterOneEpoch }),
    ...(validation === undefined ? {} : { validation }),
    trainingMacs: spent(ledger),
    wallMs: ledger.reduce((sum, { wallMs }) => sum + wallMs, 0),
    ...(peaks.length === 0 ? {} : { peakMemoryBytes: Math.max(...peaks) }),
    ledger,
    parameters,
    macs,
    bytes,
    latencies,
  };
}

interface RunFiles {
  readonly summary?: Summary | undefined;
  readonly latencies: Latency[];
  /** Why the run does not count. */
  readonly fault?: string | undefined;
}

/**
 * Reads what a run left. A summary that cannot be read is a fault of the run; latencies that cannot be read are
 * missing.
 * @param complain Told of the latencies.
 */
async function filesOf(
  folder: ComparisonFolder,
  { id }: Job,
  place: string,
  complain: (message: string) => void,
): Promise<RunFiles> {
  const latencies = await readable(readLatencies(folder, id, place), complain);
  let fault: string | undefined;
  const summary = await readable(summaryIn(folder.runFolder(id)), (message) => (fault = message));
  if (summary !== undefined) return { summary, latencies: latencies ?? [] };
  fault ??= await readable(readFailure(folder, id), (message) => (fault = message));
  return { latencies: [], fault };
}

async function readable<Content>(
  reading: Promise<Content>,
  complain: (message: string) => void,
): Promise<Content | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    complain(error.message);
    return undefined;
  }
}

const spent = (ledger: readonly LedgerEntry[]): number =>
  ledger.reduce((sum, { trainingMacs }) => sum + trainingMacs, 0);
