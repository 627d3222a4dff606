/**
 * Measures how fast pictures come, and in how much memory. Takes minutes, and is no test; `npm run bench:data` sets up first.
 *
 *   node tools/data/measure.mjs speed [--cores 1,2] [--size 224] [--pictures 512]
 *   node tools/data/measure.mjs memory [--pictures 100000] [--size 64] [--shards] [--cache-memory 256] [--cache-disk 0]
 *     [--distinct 1000] [--most 10000]
 *
 * `speed` decodes and varies photographs of 500×375 pixels, on so many cores and threads (taskset, where there is one); `memory` goes
 * twice through an epoch of many small pictures, in processes of their own, with bounds in MiB, and fails where it takes more than is
 * bounded and the program needs by itself. --distinct makes so many different pictures and packs them again and again; --most goes through
 * so many of an epoch. Pictures are made, and kept in --folder.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { table } from '../markdown/table.mjs';
import { makePictures } from './pictures.mjs';

const MIB = 2 ** 20;
/** The memory of Node, libvips and a few batches under way. */
const PROGRAM_MIB = 400;
/** The record of each picture in memory: its path, label and hash. */
const BYTES_PER_PICTURE = 2048;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cores: { type: 'string' },
    size: { type: 'string' },
    pictures: { type: 'string' },
    shards: { type: 'boolean', default: false },
    distinct: { type: 'string' },
    most: { type: 'string' },
    'cache-memory': { type: 'string', default: '256' },
    'cache-disk': { type: 'string', default: '0' },
    folder: { type: 'string', default: join(tmpdir(), 'winnow-measure-data') },
  },
});
const [what] = positionals;
console.error(
  `${cpus()[0]?.model}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}, Node ${process.version}`,
);
if (what === 'speed') await speed();
else if (what === 'memory') await memory();
else {
  console.error('say what to measure: speed or memory');
  process.exitCode = 2;
}

async function speed() {
  const size = wholeNumber('size', 224, 8, 1024);
  const count = wholeNumber('pictures', 512, 128, 100_000);
  const spec = await made({ count, width: 500, height: 375 });
  const all = availableParallelism();
  const cores = (
    values.cores ?? [...new Set([1, 2, 4, 8, 16].filter((some) => some < all).concat(all))].join()
  )
    .split(',')
    .map(Number);
  const rows = cores.flatMap((some) =>
    [0, some].map((workers) => {
      const common = { spec, imageSize: size, workers };
      const decoded = run({ ...common, cacheBytes: 0, epochs: 2 }, some);
      const kept = run({ ...common, cacheBytes: 2 ** 33, epochs: 3 }, some);
      const last = ({ rates, ratesByCore, ratesByMain }) =>
        [rates, ratesByCore, ratesByMain].map((found) => found.at(-1).toFixed(0));
      return [String(some), String(workers), ...last(decoded), ...last(kept)];
    }),
  );
  const by = (what) => [what, 'by core second', 'by second of the main thread'];
  const head = ['cores', 'threads', ...by('decoded and varied a second'), ...by('kept and varied a second')];
  console.log(
    `photographs of 500×375 pixels at ${size} px, standard augmentation, batches of 64\n\n${table(head, rows).join('\n')}`,
  );
}

async function memory() {
  const size = wholeNumber('size', 64, 8, 512);
  const count = wholeNumber('pictures', 100_000, 1000, 10_000_000);
  const [cacheMib, diskMib] = [
    wholeNumber('cache-memory', 256, 0, 2 ** 20),
    wholeNumber('cache-disk', 0, 0, 2 ** 24),
  ];
  const distinct = wholeNumber('distinct', count, 1, 10_000_000);
  const most = wholeNumber('most', count, 64, 10_000_000);
  const spec = await made({ count, width: size, height: size, shards: values.shards, distinct });
  const cacheFolder = join(values.folder, `cache-${process.pid}`);
  const bound = (cacheMib + PROGRAM_MIB) * MIB + count * BYTES_PER_PICTURE;
  const rows = [];
  try {
    for (const round of ['first', 'again']) {
      const asked = {
        most,
        spec,
        imageSize: size,
        cacheBytes: cacheMib * MIB,
        diskBytes: diskMib * MIB,
        cacheFolder,
      };
      const { identifiedS, firstBatchS, endS, rates, peakBytes } = run(asked);
      rows.push([
        round,
        identifiedS.toFixed(1),
        firstBatchS.toFixed(1),
        endS.toFixed(0),
        rates[0].toFixed(0),
        (peakBytes / MIB).toFixed(0),
      ]);
      if (peakBytes > bound) {
        console.error(
          `more than the ${Math.round(bound / MIB)} MiB that ${count} pictures and a cache of ${cacheMib} MiB may take`,
        );
        process.exitCode = 1;
      }
    }
  } finally {
    rmSync(cacheFolder, { recursive: true, force: true });
  }
  console.log(
    `${count} pictures of ${size} px, ${values.shards ? 'shards' : 'folders'}, ${cacheMib} MiB in memory, ${diskMib} MiB on the disk; at most ${Math.round(bound / MIB)} MiB`,
  );
  console.log(
    table(['process', 'identified, s', 'first batch, s', 'end, s', 'pictures/s', 'peak, MiB'], rows).join(
      '\n',
    ),
  );
}

/** Pictures of a size, made where they are not there yet. */
async function made({ count, width, height, shards = false, distinct = count }) {
  const folder = join(
    values.folder,
    `${shards ? 'shards' : 'folders'}-${count}-${width}x${height}${distinct < count ? `-${distinct}` : ''}`,
  );
  if (existsSync(`${folder}.done`)) return folder;
  console.error(`making ${count.toLocaleString('en')} pictures in ${folder}`);
  mkdirSync(folder, { recursive: true });
  await makePictures({ folder, count, width, height, shards, distinct });
  writeFileSync(`${folder}.done`, '');
  return folder;
}

/** Goes through the data in a process of its own, on so many cores. */
function run(asked, cores) {
  const program = [
    process.execPath,
    fileURLToPath(new URL('epoch.mjs', import.meta.url)),
    JSON.stringify(asked),
  ];
  const pinned =
    cores !== undefined && existsSync('/usr/bin/taskset') ? ['/usr/bin/taskset', '-c', `0-${cores - 1}`] : [];
  const [file, ...rest] = [...pinned, ...program];
  const env = { ...process.env, UV_THREADPOOL_SIZE: String(Math.max(4, cores ?? availableParallelism())) };
  return JSON.parse(
    execFileSync(file, rest, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'inherit'] }),
  );
}

function wholeNumber(name, fallback, least, most) {
  const number = Number(values[name] ?? fallback);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  console.error(`--${name}: expected a whole number of ${least} to ${most}, got ${values[name]}`);
  process.exit(2);
}
