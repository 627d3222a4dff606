import { type DenseRow, FEWEST_SEEDS, type Failure, type Row, type Table } from '@winnow/comparison';
import { type Html, html } from '../html';
import { count, milliseconds, spreadText } from '../numbers';

/** A table that a narrow screen scrolls by itself, with the keyboard as well. */
export function tableOf(
  caption: string,
  head: readonly string[],
  rows: readonly { readonly cells: readonly (string | Html)[]; readonly kind?: string }[],
): Html {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${head.map((text) => html`<th scope="col">${text}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ cells: [first = '', ...more], kind = '' }) =>
            html`<tr class="${kind}">
              <th scope="row">${first}</th>
              ${more.map((cell) => html`<td>${cell}</td>`)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Every contender of one workload, track and budget, and the intervals between them. */
export function resultTables(
  tables: readonly Table[],
  dense: readonly DenseRow[],
  failures: readonly Failure[],
  confidence: number,
): Html[] {
  return tables.map((table) => {
    const { workload, track, budget, metric, rows } = table;
    const name = `${workload}, ${budget}, ${track}`;
    const batches = [
      ...new Set(rows.flatMap(({ latencies }) => latencies.map(({ batchSize }) => batchSize))),
    ];
    const other = [...new Set(rows.flatMap(({ scores }) => Object.keys(scores)))].filter(
      (score) => score !== metric,
    );
    const lost = failures.filter(
      ({ point }) =>
        point !== undefined &&
        point.workload === workload &&
        point.track === track &&
        point.budget === budget &&
        rows.every(({ label }) => label !== point.label),
    );
    const failed = [...new Set(lost.map(({ point }) => point?.label ?? ''))];
    const hasOneEpoch = rows.some(({ afterOneEpoch }) => afterOneEpoch !== null);
    const oneEpoch = hasOneEpoch ? ['After one epoch'] : [];
    const head = [
      '',
      'Rank',
      metric,
      'Before retraining',
      ...oneEpoch,
      ...other,
      'Parameters',
      'MACs',
      'Bytes',
    ];
    return html`<section class="card">
      <h3>${name}</h3>
      ${tableOf(
        `${metric} and cost of ${name}: mean ± sample deviation over seeds`,
        [...head, ...batches.map((size) => `Latency p50 / p95, batch ${size}`), 'Training compute'],
        [
          ...dense
            .filter((row) => row.workload === workload)
            .map((row) => ({
              kind: 'dense',
              cells: [
                'dense',
                '',
                spreadText(row.score),
                '',
                ...oneEpoch.map(() => ''),
                ...scoreCells(row, other),
                ...costCells(row, batches),
              ],
            })),
          ...rows.map((row) => ({
            kind: row.isControl ? 'control' : 'method',
            cells: [
              nameOf(row),
              rankText(row),
              spreadText(row.score),
              spreadText(row.cut),
              ...oneEpoch.map(() => (row.afterOneEpoch === null ? '' : spreadText(row.afterOneEpoch))),
              ...scoreCells(row, other),
              ...costCells(row, batches),
            ],
          })),
          ...failed.map((label) => ({ kind: 'failed', cells: [label, 'failed'] })),
        ],
      )}
      ${differencesOf(table, confidence)}
    </section>`;
  });
}

const nameOf = ({ label, isControl }: Row): Html =>
  isControl ? html`${label} <small>control</small>` : html`${label}`;

const rankText = ({ rank, failed }: Row): string =>
  `${rank === null ? '–' : String(rank)}${failed.length === 0 ? '' : `, ${failed.length} failed`}`;

const scoreCells = ({ scores }: Row | DenseRow, names: readonly string[]): string[] =>
  names.map((name) => (scores[name] === undefined ? '' : spreadText(scores[name])));

function costCells(row: Row | DenseRow, batches: readonly number[]): string[] {
  return [
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
}

function differencesOf({ comparisons, metric, workload, track, budget }: Table, confidence: number): Html {
  const level = `${Number((100 * confidence).toFixed(1))} %`;
  return html`<details>
    <summary>Differences, seed by seed, with ${level} intervals</summary>
    ${tableOf(
      `Paired differences of ${metric}, ${workload}, ${budget}, ${track}`,
      ['', 'Mean difference', `${level} interval`, 'Seeds', 'Verdict'],
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
