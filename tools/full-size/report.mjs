import { table } from '../markdown/table.mjs';

const MIB = 2 ** 20;
const seconds = ({ ms }) => (ms / 1000).toFixed(1);
const mib = (value) => value.toFixed(0);
const thousands = (value) => value.toLocaleString('en-US');

/** Writes the measurements of all models as Markdown. */
export function tablesOf(results) {
  return [...modelTable(results), '', ...stageTable(results)].join('\n');
}

function modelTable(results) {
  const head = ['model', 'parameters', 'G MACs', 'batch', 'median ms', 'examples/s', 'cut against masked'];
  const rows = results.flatMap(({ title, batchSizes, dense, compressed, cutDifference }) =>
    [
      { name: title, model: dense, difference: '' },
      { name: `${title}, 2×`, model: compressed, difference: cutDifference.toExponential(1) },
    ].flatMap(({ name, model, difference }) =>
      batchSizes.map((batchSize) => [
        name,
        thousands(model.parameters),
        (model.macs / 1e9).toFixed(3),
        String(batchSize),
        model.latencyMs[batchSize].toFixed(0),
        ((1000 * batchSize) / model.latencyMs[batchSize]).toFixed(1),
        difference,
      ]),
    ),
  );
  return table(head, rows);
}

/** An engine may keep what it has freed for what comes next, so that what is freed does not lower the peaks of later stages. */
function stageTable(results) {
  const timed = ['import', 'compress', 'save', 'load'];
  const peaks = ['import', 'run dense', 'compress'];
  const head = [
    'model',
    'weights MiB',
    ...timed.map((stage) => `${stage} s`),
    ...peaks.map((stage) => `${stage}, peak MiB`),
    'all, peak MiB',
  ];
  const rows = results.map(({ title, bytes, stages }) => [
    title,
    mib(bytes / MIB),
    ...timed.map((stage) => seconds(stages[stage])),
    ...peaks.map((stage) => mib(stages[stage].peakMib)),
    mib(Math.max(...Object.values(stages).map(({ peakMib }) => peakMib))),
  ]);
  return table(head, rows);
}
