/**
 * Reproduces the tables of docs/results.md: dense models of several seeds, and every method at every budget from each of
 * them, with equal retraining; or lottery tickets with their controls.
 *
 *   npm run results -- [--set emoji] [--budgets 2x,4x,10x] [--seeds 1,2,3]
 *                      [--methods upop,random] [--engine torch] [--precision bf16] [--jobs 2] [--folder runs/results]
 *
 * Sets are emoji, emoji-subcategory, clothing, emoji-converged, emoji-reconstruct, emoji-retrieval, emoji-sharing, emoji-sharing-deep, for single
 * hyper-parameters sharing-lambda, -gamma, -subset, -blocks and -budget, and tickets, whose grid of sparsities is its own.
 * Runs that are finished are not repeated; a killed one goes on. The tables go to standard output.
 */
import { fileURLToPath } from 'node:url';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { commandLine } from './command-line.mjs';
import { setsAt } from './sets.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values: flags } = parseArgs({
  options: {
    set: { type: 'string', default: 'emoji' },
    budgets: { type: 'string' },
    seeds: { type: 'string', default: '1,2,3' },
    methods: { type: 'string' },
    engine: { type: 'string', default: 'torch' },
    precision: { type: 'string', default: 'f32' },
    // Small models: two runs on one thread each are faster than one on two.
    jobs: { type: 'string', default: String(availableParallelism()) },
    folder: { type: 'string', default: 'runs/results' },
    shared: { type: 'string', default: '../shared' },
  },
});

const sets = setsAt(flags.shared);
const set = sets[flags.set];
if (set === undefined) {
  console.error(`--set: expected ${Object.keys(sets).join(' or ')}, got ${flags.set}`);
  process.exit(2);
}
const list = (text) => text.split(',').map((each) => each.trim());
const commands = commandLine({
  root,
  folder: join(flags.folder, `${flags.set}-${flags.precision}`),
  always: ['--engine', flags.engine, '--precision', flags.precision, '--threads', '1'],
  jobs: Number(flags.jobs),
});
await set.report({
  ...commands,
  seeds: list(flags.seeds),
  budgets: flags.budgets === undefined ? undefined : list(flags.budgets),
  wanted: flags.methods === undefined ? undefined : list(flags.methods),
});
