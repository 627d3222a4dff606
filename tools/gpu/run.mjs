/**
 * The parts of gpu.sh, in the unpacked archive: each writes its log into the folder --out as it goes, and results.json is
 * written anew after each. A part that fails or takes too long does not keep the next ones from being tried.
 *
 *   run.mjs --out FOLDER [--device cuda] [--unbounded] [--seconds N] [build] [tests] [own] [bench] [clip] [profile] [methods] [laws]
 *
 * --seconds is for all parts of the call together: it ends by itself before whoever lends the machine ends it.
 */
import { setMaxListeners } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { hasNvidiaGpu } from '../setup/machine.mjs';
import { secondsFor } from './limits.mjs';
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
  own: { work: runTests('tests', 'others'), seconds: 60 },
  bench: { work: benchmark('bench'), seconds: 240 },
  clip: { work: benchmark('clip'), seconds: 180 },
  profile: { work: profile, seconds: 90 },
  methods: { work: compress, seconds: 120 },
  laws: { work: runTests('laws'), seconds: 120 },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string' },
    device: { type: 'string' },
    unbounded: { type: 'boolean', default: false },
    seconds: { type: 'string' },
  },
});
const unknown = positionals.find((name) => !(name in parts));
const whole = values.seconds === undefined ? Infinity : Number(values.seconds);
if (!(whole > 0)) {
  console.error(`--seconds: expected a number of seconds, got ${values.seconds}`);
  process.exit(2);
}
if (values.out === undefined || unknown !== undefined) {
  const expected = `expected --out FOLDER and parts of ${Object.keys(parts).join(', ')}`;
  console.error(`${expected}, got ${unknown ?? 'no --out'}`);
  process.exit(2);
}

const folder = fileURLToPath(new URL('..', import.meta.url));
const device = values.device ?? (hasNvidiaGpu() ? 'cuda' : 'cpu');
const report = await openReport(values.out, device);
const chosen = Object.entries(parts).filter(
  ([name]) => positionals.length === 0 || positionals.includes(name),
);
const setting = { isOnProcessor: device === 'cpu', isUnbounded: values.unbounded, whole };
const start = performance.now();
for (const [name, { work, seconds }] of chosen) {
  const limit = secondsFor(seconds, setting, (performance.now() - start) / 1000);
  if (limit === 0) {
    await report.part(name, async () => ({ ok: false, error: 'no time was left' }));
    continue;
  }
  const signal = Number.isFinite(limit) ? AbortSignal.timeout(Math.ceil(1000 * limit)) : undefined;
  // Each file of tests listens to it.
  if (signal !== undefined) setMaxListeners(0, signal);
  await report.part(name, (log) => work({ folder, device, out: values.out, log, signal }));
}
process.exit(report.finish() ? 0 : 1);
