import { type Outcomes, denseRowsOf, tablesOf } from '@winnow/comparison';
import type { PageData } from '@winnow/report';
import type { RunRecord } from '../run-folder/record';
import { type Summary, scoresAfterOneEpoch } from '../run-folder/summary';
import { environmentOf } from './environment';
import { type Runs, figuresOf, keptMap, ledgerRow } from './page';

/**
 * A single run as a page: a comparison of one with its dense model. An engine must be running.
 * @param remarks What a reader has to know before the numbers.
 */
export async function runPage(
  folder: string,
  record: RunRecord,
  summary: Summary,
  remarks: readonly string[],
): Promise<PageData> {
  const outcomes = outcomesOf(summary);
  const [run] = outcomes.measurements;
  const runs: Runs | undefined = run === undefined ? undefined : [run];
  const { data, metric, ledger } = summary;
  return {
    title: run === undefined ? `Training on ${data.name}` : `${run.label} on ${data.name}, ${run.budget}`,
    summary: `One run, compared by ${metric}: a single seed says nothing about chance`,
    remarks,
    command: `winnow ${record.command} --config config.yaml`,
    config: JSON.stringify(record.options, undefined, 2),
    environment: environmentOf(record),
    confidence: 0.95,
    dense: denseRowsOf(outcomes),
    tables: tablesOf(outcomes, 0.95),
    failures: [],
    ledger:
      runs === undefined
        ? [{ workload: data.name, track: '', budget: '', label: 'dense', seeds: 1, phases: ledger }]
        : [ledgerRow(runs)],
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
        budget: `${Number((100 * budget.keep).toFixed(1))} % of ${budget.unit}`,
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
