import { table } from '../markdown/table.mjs';
import { mean, spread } from './spread.mjs';

const millions = (counts) => (mean(counts) / 1e6).toFixed(3);

/** Some scores over the seeds in one cell. */
const cellOf = (scores, all) =>
  scores.map((score) => spread(all.map((each) => each?.[score] ?? Number.NaN))).join(' / ');

/** When a compressed model is scored, by the heading of its column. */
const stages = {
  'before retraining': ({ cut }) => cut,
  'after 1 epoch': ({ milestones: [first] }) => first?.scores,
  'after all': ({ retrained }) => retrained,
};

/**
 * One table a budget and kind of score, as Markdown: scores in percent over the seeds.
 * @param tables `[{ title, scores, stages }]`: which scores stand in a cell, and in which columns.
 */
export function printTables({ dense, runs, budgets, tables }) {
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
    for (const each of tables) printTable(budget, each, ofBudget);
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
