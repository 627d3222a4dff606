import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { outcomesSchema } from '@winnow/comparison';
import { z } from 'zod';

/** The built program. */
export const PROGRAM = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** The file with the latencies of a model. */
export const latencyFile = z.object({
  measuredOn: z.string(),
  rounds: z.array(z.array(z.object({ batchSize: z.int(), p50Ms: z.number(), p95Ms: z.number() }))),
});

/** A comparison of seconds: 16-pixel pictures, a few steps; sharing between towers must fail on a single tower. */
export const tinyComparison = (pictures: string, more: Readonly<Record<string, unknown>> = {}) => ({
  name: 'tiny',
  workloads: [
    {
      name: 'pictures',
      shared: { data: pictures, batchSize: 4, checkpointEvery: '2it' },
      dense: { imageSize: 16, patchSize: 8, duration: '8it', evaluateEvery: '0it' },
      // Proofs have tests of their own.
      compress: { prove: 'none' },
    },
  ],
  methods: [{ method: 'magnitude', options: { search: '0it' } }, 'full-sharing'],
  without: ['trained-on', 'magnitude'],
  budgets: ['2x'],
  seeds: [1, 2],
  tracks: { 'equal-compute': { compute: '8it' } },
  latency: { rounds: 2, passes: 3 },
  run: { engine: 'wasm' },
  ...more,
});

/** Scores of all runs by their place: what a comparison must end with whatever happened on the way. */
export function scoresIn(folder: string): Record<string, unknown> {
  const { dense, measurements, failures } = outcomesSchema.parse(
    JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')),
  );
  return Object.fromEntries([
    ...dense.map(({ seed, scores }) => [`dense ${seed}`, scores]),
    ...measurements.map(({ label, budget, seed, cut, retrained, trainingMacs, parameters }) => [
      `${label} ${budget} ${seed}`,
      { cut, retrained, trainingMacs, parameters },
    ]),
    ...failures.map(({ what, seed, message }) => [`${what} ${seed}`, message]),
  ]);
}

export const runsIn = (folder: string): string[] =>
  existsSync(join(folder, 'runs')) ? readdirSync(join(folder, 'runs')).sort() : [];
export const finishedIn = (folder: string): string[] =>
  runsIn(folder).filter((id) => existsSync(join(folder, 'runs', id, 'summary.json')));

export function start(args: readonly string[]): ChildProcess {
  // A test has an environment of its own, which its children get only so.
  return spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: process.env,
  });
}
