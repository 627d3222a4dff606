const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean ± sample deviation over the seeds; the mean alone of a single one. */
function spread(values, digits = 1) {
  if (values.length < 2) return mean(values).toFixed(digits);
  const center = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0);
  return `${center.toFixed(digits)} ± ${Math.sqrt(squares / (values.length - 1)).toFixed(digits)}`;
}

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
    for (const table of tables) printTable(budget, table, ofBudget);
  }
}

function printTable(budget, { title, scores, stages: wanted }, runs) {
  console.log(`| ${budget}, ${title} | parameters M | MACs M | ${wanted.join(' | ')} |`);
  console.log(`|---|---:|---:|${wanted.map(() => '---:|').join('')}`);
  for (const label of new Set(runs.map((run) => run.label))) {
    const group = runs.filter((run) => run.label === label).map(({ summary }) => summary.compressed);
    const cells = [
      label,
      millions(group.map(({ parameters }) => parameters)),
      millions(group.map(({ macs }) => macs)),
      ...wanted.map((stage) => cellOf(scores, group.map(stages[stage]))),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  console.log('');
}
