import type {
  ComparisonPlan,
  DenseMeasurement,
  Failure,
  Job,
  Measurement,
  Outcomes,
  Point,
} from '@winnow/comparison';
import type { LedgerEntry } from '@winnow/core';
import { readSummary } from '../run-folder/summary';
import { type ComparisonFolder, readFailure } from './comparison-folder';
import { readLatencies } from './latency';

/**
 * What the runs of a comparison left in its folder.
 * @param jobs Of the plan's points, in its order; none where the dense model is missing.
 * @param place Where latencies must have been measured.
 */
export async function outcomesIn(
  folder: ComparisonFolder,
  { dense, points }: ComparisonPlan,
  jobs: readonly (Job | undefined)[],
  place: string,
): Promise<Outcomes> {
  const trained = await Promise.all(
    dense.map(async ({ workload, seed, job }): Promise<DenseMeasurement | Failure> => {
      const summary = await readSummary(folder.runFolder(job.id));
      if (summary?.command !== 'train') {
        const message = (await readFailure(folder, job.id)) ?? 'it has not finished';
        return { job: job.id, workload, seed, what: 'dense training', message };
      }
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
        latencies: await readLatencies(folder, job.id, place),
      };
    }),
  );
  const compressed = await Promise.all(
    points.map((point, index) => pointOutcome(folder, point, jobs[index], place)),
  );
  const both = [...trained, ...compressed];
  return {
    dense: trained.flatMap((one) => ('message' in one ? [] : [one])),
    measurements: compressed.flatMap((one) => ('message' in one ? [] : [one])),
    failures: both.flatMap((one) => ('message' in one ? [one] : [])),
  };
}

async function pointOutcome(
  folder: ComparisonFolder,
  { contender, seed, learningRate }: Point,
  job: Job | undefined,
  measuredOn: string,
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
  const summary = await readSummary(folder.runFolder(job.id));
  if (summary?.command !== 'compress') {
    return failed((await readFailure(folder, job.id)) ?? 'it has not finished');
  }
  const { parameters, macs, bytes, masked, cut, retrained, validation } = summary.compressed;
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
    ...(validation === undefined ? {} : { validation }),
    trainingMacs: spent(ledger),
    wallMs: ledger.reduce((sum, { wallMs }) => sum + wallMs, 0),
    ...(peaks.length === 0 ? {} : { peakMemoryBytes: Math.max(...peaks) }),
    ledger,
    parameters,
    macs,
    bytes,
    latencies: await readLatencies(folder, job.id, measuredOn),
  };
}

const spent = (ledger: readonly LedgerEntry[]): number =>
  ledger.reduce((sum, { trainingMacs }) => sum + trainingMacs, 0);
