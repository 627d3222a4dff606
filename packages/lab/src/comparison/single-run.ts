import { type Outcomes, denseRowsOf, tablesOf } from '@winnow/comparison';
import { type RunPageData, classResultsOf } from '@winnow/report';
import { readPredictions } from '../run-folder/predictions';
import { readSaid } from '../run-folder/said';
import type { RunRecord } from '../run-folder/record';
import { type Summary, scoresAfterOneEpoch } from '../run-folder/summary';
import { changedPictures } from './changed-pictures';
import { environmentOf } from './environment';
import { lossCurves } from './loss-curves';
import { type Runs, figuresOf, keptMap } from './page';

/** The confidence of intervals, which a single run has none of. */
const CONFIDENCE = 0.95;

/**
 * A single run as a page. An engine must be running: its model is opened.
 * @param remarks What a reader has to know before the numbers.
 * @throws {FormatError} when a file of the run cannot be read.
 */
export async function singleRunPage(
  folder: string,
  record: RunRecord,
  summary: Summary,
  remarks: readonly string[],
): Promise<RunPageData> {
  const outcomes = outcomesOf(summary);
  const [dense] = denseRowsOf(outcomes);
  if (dense === undefined) throw new Error('a run has one dense model');
  const [run] = outcomes.measurements;
  const runs: Runs | undefined = run === undefined ? undefined : [run];
  const { data, ledger } = summary;
  const predictions = await readPredictions(folder);
  return {
    title:
      run === undefined ? `Training on ${data.name}` : `${run.label} on ${data.name}, ${run.budget} kept`,
    summary: `One run, ${data.test} pictures that it has not seen to judge it by`,
    remarks,
    command: `winnow ${record.command} --config config.yaml`,
    config: JSON.stringify(record.options, undefined, 2),
    environment: environmentOf(record),
    dense,
    smaller: tablesOf(outcomes, CONFIDENCE)[0]?.rows[0] ?? null,
    proof: summary.command === 'compress' ? (summary.proof ?? null) : null,
    losses: await lossCurves(folder),
    classes: predictions === undefined ? null : classResultsOf(predictions),
    changed:
      predictions?.compressed === undefined
        ? null
        : await changedPictures(folder, { ...predictions, compressed: predictions.compressed }),
    said: (await readSaid(folder))?.examples ?? [],
    ledger,
    kept: runs === undefined ? [] : await keptMap(runs, () => folder),
    figures: runs === undefined ? [] : await figuresOf(runs, () => folder),
  };
}

const first = ({ p50Ms, p95Ms }: { p50Ms: number; p95Ms: number }) => [{ batchSize: 1, p50Ms, p95Ms }];

function outcomesOf(summary: Summary): Outcomes {
  const { data, metric, ledger } = summary;
  const isSearch = ({ phase }: { phase: string }) => phase !== 'dense';
  const common = { workload: data.name, seed: 0, metric, testExamples: data.test, job: 'run' };
  const spent = (entries: typeof ledger) => entries.reduce((sum, { trainingMacs }) => sum + trainingMacs, 0);
  if (summary.command === 'train') {
    const { parameters, macs, bytes, latency, scores } = summary.model;
    const size = { parameters, macs, bytes, latencies: first(latency) };
    return {
      dense: [{ ...common, ...size, scores, trainingMacs: spent(ledger), ledger }],
      measurements: [],
      failures: [],
    };
  }
  const { dense, compressed, method, budget } = summary;
  const own = ledger.filter(isSearch);
  const afterOneEpoch = scoresAfterOneEpoch(summary);
  return {
    dense: [
      {
        ...common,
        parameters: dense.parameters,
        macs: dense.macs,
        bytes: dense.bytes,
        latencies: first(dense.latency),
        scores: dense.scores,
        trainingMacs: spent(ledger.filter((entry) => !isSearch(entry))),
        ledger: ledger.filter((entry) => !isSearch(entry)),
      },
    ],
    measurements: [
      {
        ...common,
        track: 'recommended',
        label: method.name,
        method: method.name,
        isControl: false,
        budget: `${Number((100 * budget.keep).toFixed(1))}%`,
        learningRate: 0,
        masked: compressed.masked,
        cut: compressed.cut,
        retrained: compressed.retrained,
        ...(afterOneEpoch === undefined ? {} : { afterOneEpoch }),
        trainingMacs: spent(own),
        wallMs: own.reduce((sum, { wallMs }) => sum + wallMs, 0),
        ledger: own,
        parameters: compressed.parameters,
        macs: compressed.macs,
        bytes: compressed.bytes,
        latencies: first(compressed.latency),
      },
    ],
    failures: [],
  };
}
