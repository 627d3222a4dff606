import { recommendationsOf, wordsOf } from '@winnow/comparison';
import type { DenseRow, Failure, Row, Spread, Table } from '@winnow/comparison';
import type { ConcludedComparison } from '@winnow/lab';
import { bytes, count, milliseconds, table } from './format';
import { remarked } from './remarks';

/** The findings of a comparison, for a terminal. */
export function concludedReport({ opened, content, missing }: ConcludedComparison): string {
  const { tables, dense, failures } = content;
  const notes = missing.map(
    (file) => `\n${file} is not written: DuckDB (@duckdb/node-api) is not installed here.`,
  );
  const { confidence, budgetUnit } = content;
  const advice = recommendationsOf(tables, dense).map((recommendation) => {
    const { workload } = recommendation;
    const { advice, reasons } = wordsOf(recommendation, { confidence, budgetUnit });
    return `${workload}: ${[advice, ...reasons].join('\n  ')}`;
  });
  const parts = [comparisonReport(tables, dense, failures), ...advice];
  return remarked([parts.join('\n\n'), ...notes].join(''), opened.remarks);
}

function comparisonReport(
  tables: readonly Table[],
  dense: readonly DenseRow[],
  failures: readonly Failure[],
): string {
  const parts = tables.map((each) => {
    const models = dense.filter(({ workload }) => workload === each.workload);
    const hasOneEpoch = each.rows.some(({ afterOneEpoch }) => afterOneEpoch !== null);
    const oneEpoch = hasOneEpoch ? ['1 epoch'] : [];
    return [
      `${each.workload}, ${each.budget}, ${each.track} (${each.metric}, mean ± sample deviation over seeds)`,
      table(
        [
          '',
          'place',
          each.metric,
          'before',
          ...oneEpoch,
          'parameters',
          'MACs',
          'bytes',
          'p50, batch 1',
          'batch 32',
          'compute',
        ],
        [
          ...models.map((row) => [
            'dense',
            '',
            spreadText(row.score),
            '',
            ...oneEpoch.map(() => ''),
            ...sizeCells(row),
          ]),
          ...each.rows.map((row) => [
            row.isControl ? `${row.label} *` : row.label,
            rankText(row),
            spreadText(row.score),
            spreadText(row.cut),
            ...oneEpoch.map(() => (row.afterOneEpoch === null ? '' : spreadText(row.afterOneEpoch))),
            ...sizeCells(row),
          ]),
        ],
      ),
    ].join('\n');
  });
  return [
    ...parts,
    '* a control. Rows stand by their mean score; a place such as 2–4 is what paired intervals of at least three seeds are sure of: one is better, and all behind place 4 are worse; – where no interval says anything. No interval is narrower than the size of the test set allows.',
    ...(failures.length === 0 ? [] : [failureReport(failures)]),
  ].join('\n\n');
}

/** The first line, and the next one that says where: the page has all of them. */
const firstLinesOf = (message: string): string =>
  message
    .split('\n')
    .slice(0, 2)
    .map((line) => line.trim())
    .join(' ');

function failureReport(failures: readonly Failure[]): string {
  const lines = failures.map(
    ({ workload, seed, what, message }) => `  ${workload}, seed ${seed}, ${what}: ${firstLinesOf(message)}`,
  );
  return [`Failed (${failures.length}):`, ...lines].join('\n');
}

const placesText = (places: Row['places']): string => {
  if (places === null) return '–';
  const [first, last] = places;
  return first === last ? String(first) : `${first}–${last}`;
};

export const rankText = ({ places, failed }: Pick<Row, 'places' | 'failed'>): string =>
  `${placesText(places)}${failed.length === 0 ? '' : ` (${failed.length} failed)`}`;

const spreadText = ({ mean, deviation }: Spread): string =>
  deviation === null ? mean.toFixed(2) : `${mean.toFixed(2)} ± ${deviation.toFixed(2)}`;

function sizeCells(row: Row | DenseRow): string[] {
  const latency = (batchSize: number) => {
    const found = row.latencies.find((each) => each.batchSize === batchSize);
    return found === undefined ? '' : milliseconds(found.p50Ms.mean);
  };
  return [
    count(Math.round(row.parameters.mean)),
    count(Math.round(row.macs.mean)),
    bytes(Math.round(row.bytes.mean)),
    latency(1),
    latency(32),
    count(Math.round(row.trainingMacs.mean)),
  ];
}
