/**
 * Reproduces the tables of docs/results.md: one dense model, every method at the same budget with equal retraining.
 *
 *   npm run results -- [--set emoji|emoji-short|clothing] [--engine tensorflow] [--folder runs/results]
 *
 * Runs that are finished are not repeated; a killed one goes on. The tables go to standard output.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values: flags } = parseArgs({
  options: {
    set: { type: 'string', default: 'emoji' },
    engine: { type: 'string', default: 'tensorflow' },
    folder: { type: 'string', default: 'runs/results' },
    shared: { type: 'string', default: '../shared' },
  },
});

/** The rows of a table: the method, the folder of its run, whether it gets the search's training, more flags. */
const baselines = [
  { name: 'upop', searches: true },
  {
    name: 'upop',
    folder: 'upop-each-step',
    label: 'upop, each-step',
    searches: true,
    more: ['--standardize', 'each-step'],
  },
  { name: 'unified', searches: true },
  { name: 'mask-based', searches: true },
  { name: 'magnitude', folder: 'magnitude-at-once', searches: false },
  { name: 'magnitude', label: 'magnitude, in rounds', searches: true },
  { name: 'random', searches: false },
];

/** What is trained, how it is compressed, and by which methods. */
const sets = {
  // A dense model that is trained to the end of what more epochs give it.
  emoji: {
    data: 'emoji-category',
    train: ['--duration', '60ep'],
    search: ['--search', '15ep'],
    retrain: ['--retrain', '15ep', '--retrain-learning-rate', '5e-4'],
    methods: baselines,
  },
  // One that is not: the command line's own defaults.
  'emoji-short': {
    data: 'emoji-category',
    train: ['--duration', '30ep'],
    search: ['--search', '10ep'],
    retrain: ['--retrain', '10ep', '--retrain-learning-rate', '5e-4'],
    methods: baselines,
  },
  clothing: {
    data: join(flags.shared, 'data/clothing'),
    train: ['--duration', '30ep', '--image-size', '64', '--patch-size', '8'],
    search: ['--search', '10ep'],
    retrain: ['--retrain', '10ep', '--retrain-learning-rate', '5e-4'],
    methods: baselines.slice(0, 1),
  },
};

const set = sets[flags.set];
if (set === undefined) {
  console.error(`--set: expected ${Object.keys(sets).join(' or ')}, got ${flags.set}`);
  process.exit(2);
}

/** Runs the command line, or finds its finished run, and reads the summary. */
function winnow(command, folder, ...args) {
  const out = join(root, flags.folder, flags.set, folder);
  const resume = existsSync(out) ? ['--resume'] : [];
  const all = [
    command,
    ...args,
    '--data',
    set.data,
    '--engine',
    flags.engine,
    '--seed',
    '1',
    '--out',
    out,
    ...resume,
  ];
  console.error(`winnow ${all.join(' ')}`);
  const { status } = spawnSync(process.execPath, [join(root, 'apps/winnow/dist/main.js'), ...all], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) process.exit(status ?? 1);
  return { out, summary: JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) };
}

const dense = winnow('train', 'dense', ...set.train);
const runs = set.methods.map(({ name, folder = name, label = name, searches, more = [] }) => {
  const args = [
    '--from',
    dense.out,
    '--method',
    name,
    '--budget',
    '2x',
    ...(searches ? set.search : []),
    ...more,
    ...set.retrain,
  ];
  return { label, ...winnow('compress', folder, ...args).summary };
});

const score = ({ top1 }) => top1.toFixed(1);
const millions = (count) => (count / 1e6).toFixed(3);
console.log(
  `Engine ${dense.summary.run.engine}; ${dense.summary.data.train} training and ${dense.summary.data.test} test pictures.\n`,
);
console.log(
  '| method | parameters M | MACs M | before retraining | after 1 epoch | after all | search s | retraining s |',
);
console.log('|---|---|---|---|---|---|---|---|');
const { model } = dense.summary;
console.log(
  `| dense | ${millions(model.parameters)} | ${millions(model.macs)} | | | ${score(model.scores)} | | |`,
);
for (const { label, compressed, ledger } of runs) {
  const seconds = (phase) => ((ledger.find((entry) => entry.phase === phase)?.wallMs ?? 0) / 1000).toFixed(0);
  const [first] = compressed.milestones;
  console.log(
    `| ${label} | ${millions(compressed.parameters)} | ${millions(compressed.macs)} | ${score(compressed.cut)} | ` +
      `${first === undefined ? '' : score(first.scores)} | ${score(compressed.retrained)} | ` +
      `${seconds('search')} | ${seconds('retrain')} |`,
  );
}
