import { createWriteStream, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { run } from '../setup/command.mjs';

/**
 * Writes what gpu.sh leaves in its folder: a log for each part, and results.json with what all parts that ran so far came to,
 * in this call or an earlier one.
 */
export async function openReport(out, device) {
  const file = join(out, 'results.json');
  const before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const results = { ...before, machine: machine(device) };
  const save = () => {
    writeFileSync(`${file}.new`, `${JSON.stringify(results, null, 2)}\n`);
    renameSync(`${file}.new`, file);
  };
  save();
  console.log(JSON.stringify(results.machine));
  const failed = [];
  return {
    /** Runs `work(log)`, whose result goes into the report under that name; `log(text)` goes to the part's log and to stdout. */
    async part(name, work) {
      const stream = createWriteStream(join(out, `${name}.log`));
      const log = (text) => {
        stream.write(text);
        process.stdout.write(text);
      };
      log(`== ${name}\n`);
      const start = performance.now();
      const result = await work(log).catch((error) => ({ ok: false, error: error.message }));
      const seconds = Number(((performance.now() - start) / 1000).toFixed(1));
      results[name] = { ...result, seconds };
      if (!result.ok) failed.push(name);
      log(
        `== ${name}: ${result.ok ? 'ok' : `failed${result.error ? `: ${result.error}` : ''}`}, ${seconds} s\n`,
      );
      await new Promise((resolve) => stream.end(resolve));
      save();
    },
    /** @returns {boolean} whether all parts went well. */
    finish() {
      console.log(failed.length === 0 ? 'All parts went well.' : `Failed: ${failed.join(', ')}.`);
      return failed.length === 0;
    },
  };
}

function machine(device) {
  const query = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader'];
  const listed = run('nvidia-smi', query, { timeoutMs: 20_000 });
  return {
    device,
    gpus: listed.ok ? listed.output.trim().split('\n') : [],
    processor: cpus()[0]?.model,
    cores: cpus().length,
    node: process.version,
  };
}
