import {
  type DenseRow,
  FEWEST_SEEDS,
  type Failure,
  type Row,
  type Spread,
  type Table,
  timesFaster,
  timesSmaller,
} from '@winnow/comparison';
import { type Html, html } from '../html';
import { count, milliseconds, spreadText, times } from '../numbers';
import { tableOf } from './tables';
import { trackWords } from './words';

/** Every contender of one workload, track and budget: scores, costs, and the intervals between them. */
export function resultTables(
  tables: readonly Table[],
  dense: readonly DenseRow[],
  failures: readonly Failure[],
  confidence: number,
): Html[] {
  return tables.map((table) => {
    const models = dense.filter(({ workload }) => workload === table.workload);
    return html`<section class="card">
      <h3>${placeOf(table)}</h3>
      ${scoreTable(table, models, failures)} ${costTable(placeOf(table), table.rows, models)}
      ${differencesOf(table, confidence)}
    </section>`;
  });
}

const placeOf = ({ workload, budget, track }: Table): string =>
  `${workload}, ${budget}, ${trackWords(track)}`;

function scoreTable(table: Table, models: readonly DenseRow[], failures: readonly Failure[]): Html {
  const { metric, rows } = table;
  const other = [...new Set(rows.flatMap(({ scores }) => Object.keys(scores)))].filter(
    (score) => score !== metric,
  );
  const oneEpoch = rows.some(({ afterOneEpoch }) => afterOneEpoch !== null) ? ['After one epoch'] : [];
  const hasPlaces = rows.some(({ places }) => places !== null);
  const cellsOf = (row: Row | DenseRow, { cut, afterOneEpoch, places }: Partial<Row>) => [
    cut === undefined ? '' : spreadText(cut),
    ...oneEpoch.map(() =>
      afterOneEpoch === undefined || afterOneEpoch === null ? '' : spreadText(afterOneEpoch),
    ),
    spreadText(row.score),
    ...other.map((name) => textIfAny(row.scores[name])),
    ...(hasPlaces ? [places === undefined ? '' : placesText(places)] : []),
  ];
  return tableOf(
    `Scores of ${placeOf(table)}: mean ± sample deviation over seeds`,
    [
      'Model',
      `${metric} before retraining`,
      ...oneEpoch,
      'After all',
      ...other,
      ...(hasPlaces ? ['Place'] : []),
    ],
    [
      ...models.map((row) => ({ kind: 'dense', cells: ['dense', ...cellsOf(row, {})] })),
      ...rows.map((row) => ({ kind: kindOf(row), cells: [nameOf(row), ...cellsOf(row, row)] })),
      ...lostIn(table, failures).map((label) => ({ kind: 'failed', cells: [label, 'failed'] })),
    ],
  );
}

/** Sizes, speeds and compute, beside those of the dense model. */
export function costTable(place: string, rows: readonly Row[], models: readonly DenseRow[]): Html {
  const all = [...models, ...rows];
  const batches = [
    ...new Set(all.flatMap(({ latencies }) => latencies.map(({ batchSize }) => batchSize))),
  ].sort((a, b) => a - b);
  const [dense] = models;
  const cellsOf = (row: Row | DenseRow) => [
    dense === undefined ? '' : times(timesSmaller(row, dense)),
    ...batches.map((size) => {
      const faster = dense === undefined ? undefined : timesFaster(row, dense, size);
      return faster === undefined ? '' : times(faster);
    }),
    count(row.parameters.mean),
    count(row.macs.mean),
    count(row.bytes.mean),
    ...batches.map((size) => {
      const found = row.latencies.find(({ batchSize }) => batchSize === size);
      return found === undefined
        ? ''
        : `${milliseconds(found.p50Ms.mean)} / ${milliseconds(found.p95Ms.mean)}`;
    }),
    count(row.trainingMacs.mean),
  ];
  return tableOf(
    `Costs of ${place}: means over seeds`,
    [
      'Model',
      '× smaller',
      ...batches.map((size) => `× faster, batch ${size}`),
      'Parameters',
      'MACs',
      'Bytes',
      ...batches.map((size) => `Latency p50 / p95, batch ${size}`),
      'Training compute',
    ],
    [
      ...models.map((row) => ({ kind: 'dense', cells: ['dense', ...cellsOf(row)] })),
      ...rows.map((row) => ({ kind: kindOf(row), cells: [nameOf(row), ...cellsOf(row)] })),
    ],
  );
}

/** Contenders whose runs have all failed. */
const lostIn = ({ workload, track, budget, rows }: Table, failures: readonly Failure[]): string[] => [
  ...new Set(
    failures.flatMap(({ point }) =>
      point !== undefined &&
      point.workload === workload &&
      point.track === track &&
      point.budget === budget &&
      rows.every(({ label }) => label !== point.label)
        ? [point.label]
        : [],
    ),
  ),
];

const kindOf = ({ isControl }: Row): string => (isControl ? 'control' : 'method');

function nameOf({ label, isControl, failed }: Row): Html {
  const remarks = [
    ...(isControl ? ['control'] : []),
    ...(failed.length === 0 ? [] : [`${failed.length} failed`]),
  ];
  return remarks.length === 0 ? html`${label}` : html`${label} <small>${remarks.join(', ')}</small>`;
}

function placesText(places: Row['places']): string {
  if (places === null) return '–';
  const [first, last] = places;
  return first === last ? String(first) : `${first}–${last}`;
}

const textIfAny = (spread: Spread | undefined): string => (spread === undefined ? '' : spreadText(spread));

function differencesOf(table: Table, confidence: number): Html {
  const { comparisons, metric } = table;
  if (comparisons.length === 0) return html``;
  const level = `${Number((100 * confidence).toFixed(1))} %`;
  return html`<details>
    <summary>Differences, seed by seed, with ${level} intervals</summary>
    ${tableOf(
      `Paired differences of ${metric}, ${placeOf(table)}`,
      ['Pair', 'Mean difference', `${level} interval`, 'Seeds', 'Verdict'],
      comparisons.map(({ first, second, difference: { mean, interval, seeds }, verdict }) => ({
        kind: verdict === 0 ? '' : 'decided',
        cells: [
          `${first} − ${second}`,
          mean.toFixed(2),
          interval === null ? 'none of one seed' : `${interval[0].toFixed(2)} … ${interval[1].toFixed(2)}`,
          String(seeds),
          seeds < FEWEST_SEEDS
            ? `undecided: fewer than ${FEWEST_SEEDS} seeds`
            : verdictText(first, second, verdict),
        ],
      })),
    )}
  </details>`;
}

function verdictText(first: string, second: string, verdict: -1 | 0 | 1): string {
  switch (verdict) {
    case 1:
      return `${first} is better`;
    case -1:
      return `${second} is better`;
    case 0:
      return 'undecided';
    default:
      return verdict satisfies never;
  }
}
