import { type Html, html } from './html';
import { percent, spreadText } from './numbers';
import { environmentSection, phasesSection } from './sections/details';
import { tableOf } from './sections/tables';
import { type PagePart, pageOf } from './shell';
import type { ShareMatrix, SparsityChart, SparsityPageData, SparsityPoint } from './sparsity-data';

/**
 * The page of lottery tickets: scores by sparsity, matrices of shares, the ledger.
 * @throws {Error} when this package has not been built: the charts are bundled then.
 */
export function sparsityPage(data: SparsityPageData): string {
  const parts: PagePart[] = [
    ...(data.charts.length === 0
      ? []
      : [{ id: 'scores', name: 'Scores', section: scoresSection(data.charts) }]),
    ...(data.matrices.length === 0
      ? []
      : [{ id: 'matrices', name: 'Matrices', section: matricesSection(data.matrices) }]),
    { id: 'ledger', name: 'Ledger', section: phasesSection(data.ledger) },
    { id: 'environment', name: 'Environment', section: environmentSection(data) },
  ];
  return pageOf(data, parts, { kind: 'sparsity', ...data });
}

const scoresSection = (charts: readonly SparsityChart[]): Html =>
  html`<section id="scores">
    <h2>Scores by sparsity</h2>
    <p>
      A relaxed winning ticket (✓) has at least 99 % of the dense model's mean score; (✓) has it only with one
      standard deviation added. Error bars are sample deviations over seeds; controls are dashed. A mask saves
      no multiply–accumulates and no time.
    </p>
    <div class="controls" id="score-controls"></div>
    <figure class="card"><div class="chart" id="score-chart"></div></figure>
    ${charts.map(chartTable)}
  </section>`;

function chartTable({ onto, metric, dense, bar, curves }: SparsityChart): Html {
  const sparsities = [...new Set(curves.flatMap(({ points }) => points.map(({ sparsity }) => sparsity)))];
  sparsities.sort((a, b) => a - b);
  return tableOf(
    `${metric} on ${onto}: dense ${dense.toFixed(2)}, a winning ticket from ${bar.toFixed(2)} on`,
    ['', ...sparsities.map((sparsity) => percent(sparsity))],
    curves.map(({ label, isControl, points }) => ({
      kind: isControl ? 'control' : 'method',
      cells: [
        isControl ? html`${label} <small>control</small>` : label,
        ...sparsities.map((sparsity) => {
          const point = points.find((each) => each.sparsity === sparsity);
          return point === undefined ? '' : `${spreadText(point)} ${markOf(point)}`.trim();
        }),
      ],
    })),
  );
}

function markOf({ verdict }: SparsityPoint): string {
  switch (verdict) {
    case 'wins':
      return '✓';
    case 'by its deviation':
      return '(✓)';
    case 'loses':
      return '';
    default:
      return verdict satisfies never;
  }
}

const matricesSection = (matrices: readonly ShareMatrix[]): Html =>
  html`<section id="matrices">
    <h2>Matrices</h2>
    <div class="maps" id="share-maps"></div>
    <details>
      <summary>The same as tables</summary>
      ${matrices.map(({ title, note, rows, columns, shares, expected }) =>
        tableOf(
          `${title}: ${note}`,
          ['', ...columns],
          rows.map((row, place) => ({
            cells: [
              row,
              ...columns.map((_, at) => {
                const share = shares[place]?.[at] ?? null;
                const chance = expected?.[place]?.[at] ?? null;
                if (share === null) return '';
                return chance === null ? shareText(share) : `${shareText(share)} (${shareText(chance)})`;
              }),
            ],
          })),
        ),
      )}
    </details>
  </section>`;

const shareText = (share: number): string => `${(100 * share).toFixed(1)} %`;
