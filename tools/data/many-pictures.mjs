/**
 * Trains the first steps on many small pictures, in a process of its own with a bound on its memory, and says how long the first step
 * took to come and how much memory the process had at most. The pictures are made first, and kept for the next time.
 *
 *   node tools/data/many-pictures.mjs [--pictures 100000] [--size 64] [--shards] [--cache-memory 512MiB] [--folder FOLDER]
 *
 * It is no test: it takes minutes and a gigabyte of disk. `npm run setup` first.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makePictures } from './pictures.mjs';

const { values } = parseArgs({
  options: {
    pictures: { type: 'string', default: '100000' },
    size: { type: 'string', default: '64' },
    shards: { type: 'boolean', default: false },
    'cache-memory': { type: 'string', default: '512MiB' },
    folder: { type: 'string', default: join(tmpdir(), 'winnow-many-pictures') },
    steps: { type: 'string', default: '200' },
  },
});
const count = wholeNumber('pictures', 10, 10_000_000);
const side = wholeNumber('size', 8, 512);
const steps = wholeNumber('steps', 1, 1_000_000);
const data = join(values.folder, `${values.shards ? 'shards' : 'folders'}-${count}-${side}`);
if (!existsSync(join(data, 'done'))) {
  console.error(`making ${count.toLocaleString('en')} pictures in ${data}`);
  mkdirSync(data, { recursive: true });
  await makePictures({ folder: data, count, side, shards: values.shards });
  writeFileSync(join(data, 'done'), '');
}

const winnow = fileURLToPath(new URL('../../apps/winnow/dist/main.js', import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'winnow-many-run-'));
const cache = mkdtempSync(join(tmpdir(), 'winnow-many-cache-'));
try {
  for (const round of ['for the first time', 'again']) {
    const found = await trained(join(out, round.replaceAll(' ', '-')));
    console.log(
      `${count.toLocaleString('en')} pictures of ${side} px, ${values.shards ? 'shards' : 'folders'}, ${round}: first step after ${found.firstStepS.toFixed(1)} s, ` +
        `${steps} steps after ${found.endS.toFixed(1)} s, at most ${(found.peakBytes / 2 ** 20).toFixed(0)} MiB`,
    );
  }
} finally {
  for (const folder of [out, cache]) rmSync(folder, { recursive: true });
}

/** Starts a training and looks on until it has done its steps; then it is stopped. */
function trained(folder) {
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  const process_ = spawn(
    process.execPath,
    [
      ...[
        winnow,
        'train',
        '--data',
        data,
        '--model',
        'nano',
        '--image-size',
        String(side),
        '--patch-size',
        '8',
      ],
      ...[
        '--duration',
        '1ep',
        '--evaluate-every',
        '0it',
        '--cache-memory',
        values['cache-memory'],
        '--out',
        folder,
      ],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, XDG_CACHE_HOME: cache } },
  );
  return new Promise((resolve, reject) => {
    let firstStepS;
    let peakBytes = 0;
    let isEnough = false;
    const look = setInterval(() => {
      peakBytes = Math.max(peakBytes, peakOf(process_.pid));
      const done = stepsIn(join(folder, 'metrics.jsonl'));
      if (done >= 1) firstStepS ??= seconds();
      if (done < steps || isEnough) return;
      isEnough = true;
      process_.kill('SIGKILL');
    }, 100);
    process_.on('error', reject);
    process_.on('exit', (code) => {
      clearInterval(look);
      if (firstStepS === undefined || (!isEnough && code !== 0))
        reject(new Error(`the training ended with ${code}`));
      else resolve({ firstStepS, endS: seconds(), peakBytes });
    });
  });
}

function stepsIn(file) {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').length;
  } catch {
    return 0;
  }
}

/** proc(5): the largest resident size so far; 0 where the system does not say. */
function peakOf(pid) {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function wholeNumber(name, least, most) {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  console.error(`--${name}: expected a whole number of ${least} to ${most}, got ${values[name]}`);
  process.exit(2);
}
