import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const request = {
  ...{ what: 'train', engine: 'torch', precision: 'bf16', threads: 16, steps: 1 },
  sizes: { preset: 'small', imageSize: 224, patchSize: 16, classes: 1000, batchSize: 256, cut: 'dense' },
};
/** As many kernels as a first step has, with what sets it up. */
const KERNELS = 1500;
const LISTED = 40;

/**
 * Measures the cost of asking for an operation, here and in Python; the kernels of a training step of DeiT-S with the milliseconds of each, by NVIDIA's Nsight Compute where it is there, with
 * libtorch's kernels and with ours; and PyTorch's attentions beside one another.
 */
export async function profile({ folder, device, out, log, signal }) {
  if (device === 'cpu') {
    log('A processor has no kernels to list.\n');
    return { ok: true, note: 'there is no GPU' };
  }
  const finished = [];
  for (const kernels of ['own', 'libtorch']) {
    log(`$ issue, ${kernels} kernels\n`);
    const program = [join(folder, 'js', 'issue.mjs'), device];
    finished.push(
      await run(process.execPath, program, { log, signal, environment: { WINNOW_KERNELS: kernels } }),
    );
  }
  for (const script of ['issue.py', 'attention.py']) {
    log(`$ ${script}\n`);
    finished.push(await run('python3', [join(folder, 'peers', script), device], { log, signal }));
  }
  for (const kernels of ['own', 'libtorch'])
    finished.push(await kernelsOf(kernels, { folder, device, out, log, signal }));
  return { ok: finished.every(({ ok }) => ok), runs: finished };
}

async function kernelsOf(kernels, { folder, device, out, log, signal }) {
  const file = join(out, `kernels-${kernels}.csv`);
  const counted = ['--clock-control', 'none', '--target-processes', 'all', '--launch-count', String(KERNELS)];
  const args = [...counted, '--metrics', 'gpu__time_duration.sum', '--csv', '--log-file', file];
  log(`$ ncu, ${kernels} kernels\n`);
  const worker = [process.execPath, join(folder, 'js', 'worker.mjs')];
  const input = `${JSON.stringify({ ...request, device })}\n`;
  const result = await run('ncu', [...args, ...worker], {
    log,
    signal,
    input,
    environment: { WINNOW_KERNELS: kernels },
  });
  if (result.ok) log(tableOf(timesIn(readFileSync(file, 'utf8'))));
  return result;
}

/** Nanoseconds, microseconds or milliseconds, as the tool writes them. */
const UNITS = { ns: 1e-6, nsecond: 1e-6, us: 1e-3, usecond: 1e-3, ms: 1, msecond: 1 };

/** Kernel and milliseconds of every launch. */
export function timesIn(csv) {
  const rows = csv
    .split('\n')
    .filter((line) => line.startsWith('"'))
    .map((line) => [...line.matchAll(/"((?:[^"]|"")*)"/g)].map(([, cell]) => cell));
  const [header = [], ...launches] = rows;
  const [name, unit, value] = ['Kernel Name', 'Metric Unit', 'Metric Value'].map((title) =>
    header.indexOf(title),
  );
  return launches.flatMap((cells) => {
    const ms = Number(cells[value]?.replaceAll(',', '')) * (UNITS[cells[unit]] ?? Number.NaN);
    return Number.isFinite(ms) ? [{ kernel: cells[name], ms }] : [];
  });
}

/** The kernels that took longest, with all their launches. */
export function tableOf(launches) {
  const totals = new Map();
  for (const { kernel, ms } of launches) {
    const { count, total } = totals.get(kernel) ?? { count: 0, total: 0 };
    totals.set(kernel, { count: count + 1, total: total + ms });
  }
  const all = launches.reduce((sum, { ms }) => sum + ms, 0);
  const lines = [...totals]
    .toSorted(([, one], [, other]) => other.total - one.total)
    .slice(0, LISTED)
    .map(
      ([kernel, { count, total }]) =>
        `${total.toFixed(3).padStart(9)} ms ${String(count).padStart(5)}  ${kernel}`,
    );
  return `${launches.length} launches, ${all.toFixed(2)} ms\n${lines.join('\n')}\n`;
}

/** Any program, as `child` runs one of ours. */
function run(command, args, { log, signal, input = '', environment = {} }) {
  return new Promise((resolve) => {
    const running = spawn(command, args, { env: { ...process.env, ...environment }, signal });
    running.stdout.on('data', (text) => log(String(text)));
    running.stderr.on('data', (text) => log(String(text)));
    running.stdin.on('error', () => undefined);
    running.stdin.end(input);
    running.once('error', (error) => resolve({ ok: false, command, error: error.message }));
    running.once('close', (status) => resolve({ ok: status === 0, command }));
  });
}
