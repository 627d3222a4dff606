const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean ± sample deviation over the seeds; the mean alone of a single one. */
function spread(values, digits = 1) {
  if (values.length < 2) return mean(values).toFixed(digits);
  const center = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0);
  return `${center.toFixed(digits)} ± ${Math.sqrt(squares / (values.length - 1)).toFixed(digits)}`;
}

const millions = (counts) => (mean(counts) / 1e6).toFixed(3);
const top1 = (scores) => scores.top1;

/** One table a budget, as Markdown: scores in percent over the seeds. */
export function printTables({ dense, runs, budgets }) {
  const [first] = dense;
  const { train, test } = first.data;
  console.log(
    `${first.run.engine}, ${first.run.precision}; ${dense.length} seeds; ${train} training and ${test} test pictures.`,
  );
  const scores = dense.map(({ model }) => top1(model.scores));
  const cost = `${millions(dense.map(({ model }) => model.parameters))} M parameters, ${millions(dense.map(({ model }) => model.macs))} M MACs`;
  console.log(`Dense: ${spread(scores)} (${cost}).\n`);
  for (const budget of budgets) {
    console.log(
      `| ${budget} | parameters M | MACs M | before retraining | after 1 epoch | after all | search s | retraining s |`,
    );
    console.log('|---|---:|---:|---:|---:|---:|---:|---:|');
    const labels = new Set(runs.map(({ label }) => label));
    for (const label of labels) {
      const group = runs
        .filter((run) => run.label === label && run.budget === budget)
        .map(({ summary }) => summary);
      if (group.length > 0) console.log(rowOf(label, group));
    }
    console.log('');
  }
}

function rowOf(label, group) {
  const of = (read) => group.map(({ compressed }) => read(compressed));
  const seconds = (phase) =>
    mean(
      group.map(({ ledger }) => (ledger.find((entry) => entry.phase === phase)?.wallMs ?? 0) / 1000),
    ).toFixed(0);
  const cells = [
    label,
    millions(of(({ parameters }) => parameters)),
    millions(of(({ macs }) => macs)),
    spread(of(({ cut }) => top1(cut))),
    spread(of(({ milestones: [first] }) => (first === undefined ? Number.NaN : top1(first.scores)))),
    spread(of(({ retrained }) => top1(retrained))),
    seconds('search'),
    seconds('retrain'),
  ];
  return `| ${cells.join(' | ')} |`;
}
