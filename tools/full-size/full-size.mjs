/**
 * Published models at full size, with random weights: import, run, compress 2x, run, save, load. `npm run full-size`
 * sets up first.
 *
 *   node tools/full-size/full-size.mjs [--model clip-text-b,deit-b,clip-l-336] [--engine torch] [--precision f32|bf16]
 *     [--threads N]
 *
 * Checkpoints are written into a temporary folder, 2 GB for the largest with its compressed model, and removed again.
 * Every model has a process of its own. Tables go to stdout, progress to stderr.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeCheckpoint } from './checkpoint.mjs';
import { fullSizeModels } from './models.mjs';
import { tablesOf } from './report.mjs';

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: Object.keys(fullSizeModels).join(',') },
    engine: { type: 'string', default: 'auto' },
    precision: { type: 'string', default: 'f32' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const names = values.model.split(',');
const unknown = names.find((name) => !Object.hasOwn(fullSizeModels, name));
if (unknown !== undefined)
  throw new Error(`--model: expected ${Object.keys(fullSizeModels).join(', ')}, got "${unknown}"`);

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

const results = [];
for (const name of names) results.push(await measured(name));
console.log(`${values.threads} threads, ${cpus()[0]?.model}, Node ${process.version}`);
console.log(`Engine: ${results[0].engine}, ${values.precision}\n`);
console.log(tablesOf(results));

async function measured(name) {
  const { title, ...description } = fullSizeModels[name];
  const folder = await mkdtemp(join(tmpdir(), 'winnow-full-size-'));
  // Gigabytes must not stay behind a Ctrl-C either.
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    const checkpoint = join(folder, 'checkpoint');
    await mkdir(checkpoint);
    console.error(`${title}: writing the checkpoint`);
    const bytes = await writeCheckpoint(checkpoint, description);
    const { engine, precision, threads } = values;
    const output = await outputOf([
      WORKER,
      name,
      checkpoint,
      join(folder, 'small'),
      engine,
      precision,
      threads,
    ]);
    if (output === undefined) throw new Error(`${title}: the check failed`);
    return { title, bytes, ...JSON.parse(output.trim().split('\n').at(-1)) };
  } finally {
    remove();
    process.off('exit', remove);
  }
}

/** Waits for the output of a worker; undefined when it fails. It ends when we do. */
async function outputOf(args) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = () => child.kill();
  process.once('exit', stop);
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  const [status] = await once(child, 'close');
  process.off('exit', stop);
  return status === 0 ? Buffer.concat(chunks).toString() : undefined;
}
