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
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
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

const results = [];
for (const name of names) results.push(await measured(name));
console.log(`${values.threads} threads, ${cpus()[0]?.model}, Node ${process.version}`);
console.log(`Engine: ${results[0].engine}, ${values.precision}\n`);
console.log(tablesOf(results));

async function measured(name) {
  const { title, ...description } = fullSizeModels[name];
  const folder = await mkdtemp(join(tmpdir(), 'winnow-full-size-'));
  try {
    const checkpoint = join(folder, 'checkpoint');
    await mkdir(checkpoint);
    console.error(`${title}: writing the checkpoint`);
    const bytes = await writeCheckpoint(checkpoint, description);
    const { engine, precision, threads } = values;
    const args = [WORKER, name, checkpoint, join(folder, 'small'), engine, precision, threads];
    const { status, stdout } = spawnSync(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${title}: the check failed`);
    return { title, bytes, ...JSON.parse(stdout.trim().split('\n').at(-1)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
