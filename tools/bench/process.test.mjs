import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { workerProcess } from './process.mjs';

/** A worker that says its process and answers nothing. */
const SILENT = [
  '-e',
  "process.stdin.resume(); process.stdin.on('data', () => undefined); console.log(process.pid)",
];
const ECHO = [
  '-e',
  "process.stdin.on('data', (line) => { console.log('a library says this'); console.log(String(line)); })",
];

describe('a worker of the benchmark', () => {
  it('answers, whatever libraries write beside it', async () => {
    const worker = workerProcess(process.execPath, ECHO, { patienceMs: 60_000 });
    assert.deepEqual(await worker.ask({ steps: 3 }), { steps: 3 });
    await assert.rejects(worker.ask({ error: 'no GPU' }), /^Error: no GPU$/);
    await worker.close();
  });

  it('is given up when it does not answer, with where it was', async () => {
    const worker = workerProcess(process.execPath, SILENT, { patienceMs: 300 });
    await assert.rejects(
      worker.ask({}),
      existsSync('/proc/self/stat')
        ? /^Error: no answer within 0\.3 s: (asleep|running), after [\d.]+ s of its own and [\d.]+ s in the system; threads: \d/
        : /^Error: no answer within 0\.3 s/,
    );
    await worker.close();
  });

  it('ends with the benchmark that is told to end while it computes', async () => {
    // It never reads, as one that computes: the end of its requests tells it nothing.
    const busy =
      'console.log(process.pid); for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)';
    const program = `
      process.once('SIGTERM', () => process.exit(1));
      const { spawn } = await import('node:child_process');
      const { workerProcess } = await import(${JSON.stringify(new URL('process.mjs', import.meta.url).href)});
      const worker = workerProcess('sh', ['-c', 'echo "{\\\\"pid\\\\":$$}"; exec "$0" -e "$1"', process.execPath, ${JSON.stringify(busy)}]);
      process.stdout.write(String((await worker.ask({})).pid)); // a number has a colour where FORCE_COLOR is set
      await worker.ask({});
    `;
    const bench = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [text] = await once(bench.stdout, 'data');
      const pid = Number(String(text));
      assert.ok(pid > 0 && isThere(pid), `no process: ${text}`);
      bench.kill('SIGTERM');
      await once(bench, 'exit');
      for (let waited = 0; isThere(pid) && waited < 100; waited++) await pause(50);
      assert.equal(isThere(pid), false);
    } finally {
      // What fails must not wait for it for ever: the end of standard error is that of all who hold it.
      bench.kill('SIGTERM');
    }
  });
});

function isThere(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
