/**
 * The parts of gpu.sh, in the unpacked archive: each writes its log into the folder --out as it goes, and results.json is
 * written anew after each. A part that fails or takes too long does not keep the next ones from being tried.
 *
 *   run.mjs --out FOLDER [--device cuda] [--unbounded] [build] [tests] [own] [bench] [profile] [laws] [methods]
 */
import { setMaxListeners } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { hasNvidiaGpu } from '../setup/machine.mjs';
import { benchmark } from './parts/benchmark.mjs';
import { build } from './parts/build.mjs';
import { compress } from './parts/methods.mjs';
import { profile } from './parts/profile.mjs';
import { runTests } from './parts/tests.mjs';
import { openReport } from './report.mjs';

/** In this order, which is by importance: part → what it does, and its seconds where gpu.sh has a lease of ten minutes. */
const parts = {
  build: { work: build, seconds: 180 },
  tests: { work: runTests('tests'), seconds: 120 },
  own: { work: runTests('tests', 'own'), seconds: 60 },
  bench: { work: benchmark, seconds: 240 },
  profile: { work: profile, seconds: 90 },
  laws: { work: runTests('laws'), seconds: 120 },
  methods: { work: compress, seconds: 120 },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string' },
    device: { type: 'string' },
    unbounded: { type: 'boolean', default: false },
  },
});
const unknown = positionals.find((name) => !(name in parts));
if (values.out === undefined || unknown !== undefined) {
  const expected = `expected --out FOLDER and parts of ${Object.keys(parts).join(', ')}`;
  console.error(`${expected}, got ${unknown ?? 'no --out'}`);
  process.exit(2);
}

/** Nobody takes a processor away, and one core of it needs a quarter of an hour for the laws. */
const SLOWER_ON_PROCESSOR = 12;

const folder = fileURLToPath(new URL('..', import.meta.url));
const device = values.device ?? (hasNvidiaGpu() ? 'cuda' : 'cpu');
const report = await openReport(values.out, device);
const chosen = Object.entries(parts).filter(
  ([name]) => positionals.length === 0 || positionals.includes(name),
);
for (const [name, { work, seconds }] of chosen) {
  const signal = values.unbounded
    ? undefined
    : AbortSignal.timeout(1000 * seconds * (device === 'cpu' ? SLOWER_ON_PROCESSOR : 1));
  // Each file of tests listens to it.
  if (signal !== undefined) setMaxListeners(0, signal);
  await report.part(name, (log) => work({ folder, device, out: values.out, log, signal }));
}
process.exit(report.finish() ? 0 : 1);
