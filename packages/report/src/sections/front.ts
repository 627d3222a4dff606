import {
  type DenseRow,
  type Row,
  type Table,
  frontOf,
  largestBatch,
  timesFaster,
  timesSmaller,
} from '@winnow/comparison';
import { type Html, html } from '../html';
import type { PageData } from '../page-data';
import { spreadText, times } from '../numbers';
import { tableOf } from './tables';
import { metricWords, trackWords } from './words';

/** A model that stands for itself: the dense one, or a contender at a budget. */
interface Choice {
  readonly row: Row | DenseRow;
  readonly name: string;
  readonly training: string;
  readonly budget: string;
}

/** Sizes that differ by less are the same, as budgets are met within a unit; and so are speeds, which have noise. */
const SAME_SIZE = 1.02;
const SAME_SPEED = 1.05;
const stepOf = (cost: number, same: number): number => Math.round(Math.log(cost) / Math.log(same));

/** The models that no other one is better than without being larger, or slower. */
export function frontSection({ tables, dense }: PageData): Html {
  const workloads = [...new Set(tables.map(({ workload }) => workload))];
  return html`<section id="front">
    <h2>The best for their size and speed</h2>
    <p>
      No other model here is better than these without being larger or slower (by the means: chance is in
      them). What is not in this list is not worth its cost.
    </p>
    ${workloads.map((workload) =>
      frontTable(
        workload,
        tables.filter((table) => table.workload === workload),
        dense.filter((row) => row.workload === workload),
      ),
    )}
  </section>`;
}

function frontTable(workload: string, tables: readonly Table[], models: readonly DenseRow[]): Html {
  const [dense] = models;
  const hasTracks = new Set(tables.map(({ track }) => track)).size > 1;
  const choices = [
    ...models.map((row): Choice => ({ row, name: 'full model', training: '', budget: '' })),
    ...choicesOf(tables),
  ].filter(({ row }) => Number.isFinite(row.score.mean));
  const score = ({ row }: Choice) => row.score.mean;
  const bySize = frontOf(choices, { score, cost: ({ row }) => stepOf(row.bytes.mean, SAME_SIZE) });
  const timed = choices.filter(({ row }) => largestBatch(row) !== undefined);
  const bySpeed = frontOf(timed, {
    score,
    cost: ({ row }) => stepOf(largestBatch(row)?.p50Ms.mean ?? Infinity, SAME_SPEED),
  });
  const batchSize = Math.max(1, ...timed.map(({ row }) => largestBatch(row)?.batchSize ?? 1));
  const listed = choices
    .filter((choice) => bySize.includes(choice) || bySpeed.includes(choice))
    .sort((a, b) => score(b) - score(a));
  return tableOf(
    `${workload}: the best for their size and speed`,
    [
      'Model',
      ...(hasTracks ? ['Training'] : []),
      'Asked for',
      metricWords(models[0]?.metric ?? tables[0]?.metric ?? ''),
      '× smaller',
      `× faster, ${batchSize} at a time`,
      'Best of its size',
      'Best of its speed',
    ],
    listed.map((choice) => {
      const { row, name, training, budget } = choice;
      const faster = dense === undefined ? undefined : timesFaster(row, dense, batchSize);
      return {
        cells: [
          name,
          ...(hasTracks ? [training] : []),
          budget,
          spreadText(row.score),
          dense === undefined ? '' : times(timesSmaller(row, dense)),
          faster === undefined ? '' : times(faster),
          bySize.includes(choice) ? 'yes' : '',
          bySpeed.includes(choice) ? 'yes' : '',
        ],
      };
    }),
  );
}

/** A control that removes nothing stands at every budget, and is one choice. */
function choicesOf(tables: readonly Table[]): Choice[] {
  const found = new Map<string, Choice>();
  for (const { rows, budget, track } of tables) {
    for (const row of rows) {
      const key = JSON.stringify([row.label, track, row.score.mean, row.bytes.mean]);
      if (!found.has(key)) found.set(key, { row, name: row.label, training: trackWords(track), budget });
    }
  }
  return [...found.values()];
}
