import { pairedDifference } from '@winnow/comparison';
import { table } from '../markdown/table.mjs';
import { mean, spread } from './spread.mjs';

const millions = (counts) => (mean(counts) / 1e6).toFixed(3);

/** Some scores over the seeds in one cell, which is empty where nothing was scored. */
const cellOf = (scores, all) =>
  all.every((each) => each === undefined)
    ? ''
    : scores.map((score) => spread(all.map((each) => each?.[score] ?? Number.NaN))).join(' / ');

/** When a compressed model is scored, by the heading of its column. */
const stages = {
  'before retraining': ({ cut }) => cut,
  'after 1 epoch': ({ milestones: [first] }) => first?.scores,
  'after all': ({ retrained }) => retrained,
};

/**
 * One table a budget and kind of score, as Markdown: scores in percent over the seeds.
 * @param tables `[{ title, scores, stages }]`: which scores stand in a cell, and in which columns.
 * @param pairs Two rows each, by their labels: the first less the second is printed, seed by seed.
 */
export function printTables({ dense, runs, budgets, tables, pairs = [] }) {
  const [first] = dense;
  const { train, test } = first.data;
  console.log(
    `${first.run.engine}, ${first.run.precision}; ${dense.length} seeds; ${train} training and ${test} test examples.`,
  );
  const cost = `${millions(dense.map(({ model }) => model.parameters))} M parameters, ${millions(dense.map(({ model }) => model.macs))} M MACs`;
  console.log(`Dense model: ${cost}.`);
  for (const { title, scores } of tables)
    console.log(
      `Dense, ${title}: ${cellOf(
        scores,
        dense.map(({ model }) => model.scores),
      )}.`,
    );
  console.log('');
  for (const budget of budgets) {
    const ofBudget = runs.filter((run) => run.budget === budget);
    for (const each of tables) {
      printTable(budget, each, ofBudget);
      printPairs(budget, each, { pairs, runs: ofBudget, testExamples: test });
    }
  }
}

function printTable(budget, { title, scores, stages: wanted }, runs) {
  const rows = [...new Set(runs.map((run) => run.label))].map((label) => {
    const group = runs.filter((run) => run.label === label).map(({ summary }) => summary.compressed);
    return [
      label,
      millions(group.map(({ parameters }) => parameters)),
      millions(group.map(({ macs }) => macs)),
      ...wanted.map((stage) => cellOf(scores, group.map(stages[stage]))),
    ];
  });
  console.log(table([`${budget}, ${title}`, 'parameters M', 'MACs M', ...wanted], rows).join('\n'));
  console.log('');
}

/** Differences of two rows with their 95 % intervals, of the seeds that both have. */
function printPairs(budget, { scores: [score], stages: wanted }, { pairs, runs, testExamples }) {
  const bySeed = (label, stage) =>
    new Map(
      runs.flatMap((run) => {
        const found = run.label === label ? stages[stage](run.summary.compressed)?.[score] : undefined;
        return found === undefined ? [] : [[run.seed, found]];
      }),
    );
  const made = new Set(runs.map(({ label }) => label));
  const known = pairs.filter((pair) => pair.every((label) => made.has(label)));
  if (known.length === 0) return;
  const rows = known.map(([of, less]) => [
    `${of} − ${less}`,
    ...wanted.map((stage) => {
      const options = { confidence: 0.95, testExamples };
      const found = pairedDifference(bySeed(of, stage), bySeed(less, stage), options);
      if (found === undefined) return '';
      const ends = found.interval?.map((end) => end.toFixed(1)).join(', ');
      return ends === undefined ? found.mean.toFixed(1) : `${found.mean.toFixed(1)} (${ends})`;
    }),
  ]);
  console.log(table([`${budget}, differences`, ...wanted], rows).join('\n'));
  console.log('');
}
