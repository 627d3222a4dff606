import { fork } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WORKER = fileURLToPath(new URL('./worker.mjs', import.meta.url));
const LOOK_MS = 100;
/** A fresh process now and then: what one try leaves behind shall not be blamed on another. */
const TRIES_PER_PROCESS = 400;
const CLOCK_TICKS = 100;
const PAGE_BYTES = 4096;

/**
 * @typedef {object} Limits of one try
 * @property {number} cpuSeconds
 * @property {number} wallSeconds for what waits without computing
 * @property {number} memoryBytes of the process
 */

/** Processor time and memory of a process, undefined where the system does not tell. */
function usage(pid) {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return undefined;
  try {
    const fields = readFileSync(file, 'utf8').split(') ').at(-1).split(' ');
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS,
      bytes: Number(fields[21]) * PAGE_BYTES,
    };
  } catch {
    return undefined;
  }
}

/**
 * Does tries in processes side by side. A process that crosses a limit is ended, which is a hang of its try; one that
 * ends by itself is a crash.
 * @param {{ index: number, kind: string }[]} tries
 * @param {{ jobs: number, fixtures: string, root: string, seed: string, limits: Limits, onResult: (result, worker: string) => void }} options
 */
export async function runTries(tries, { jobs, fixtures, root, seed, limits, onResult }) {
  const waiting = tries.toReversed();
  const lane = async (number) => {
    let process;
    let left = 0;
    const folder = join(root, `worker-${number}`);
    for (let next; (next = waiting.pop()) !== undefined;) {
      if (process === undefined || left === 0) {
        process?.kill('SIGKILL');
        rmSync(folder, { recursive: true, force: true });
        process = await started(folder, { fixtures, seed });
        left = TRIES_PER_PROCESS;
      }
      left--;
      const result = await done(process, next, limits);
      onResult({ ...next, ...result }, join(folder, 'a', 'b', 'c', 'd', 'case'));
      if (result.isLost) process = undefined;
    }
    process?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  await Promise.all(Array.from({ length: jobs }, (_, number) => lane(number)));
}

async function started(folder, { fixtures, seed }) {
  const child = fork(WORKER, [fixtures, folder, seed], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // The user's own cache stays out of it.
    env: { ...process.env, XDG_CACHE_HOME: join(folder, 'cache'), TMPDIR: join(folder, 'tmp') },
    execArgv: ['--max-old-space-size=1024'],
  });
  child.said = '';
  child.stderr.on('data', (chunk) => (child.said = (child.said + chunk).slice(-4000)));
  await new Promise((ready, failed) => {
    child.once('message', ready);
    child.once('exit', (code) =>
      failed(new Error(`a worker of the fuzzer ended with ${code}: ${child.said}`)),
    );
  });
  return child;
}

function done(child, next, limits) {
  const began = { wall: Date.now(), ...usage(child.pid) };
  return new Promise((settle) => {
    const finish = (result) => {
      clearInterval(watch);
      child.removeAllListeners('message');
      child.removeAllListeners('exit');
      settle(result);
    };
    const end = (verdict, text) => {
      child.kill('SIGKILL');
      finish({ verdict, text, isLost: true });
    };
    const watch = setInterval(() => {
      const now = usage(child.pid);
      if (now !== undefined && now.cpuSeconds - began.cpuSeconds > limits.cpuSeconds)
        end('hang', `more than ${limits.cpuSeconds} s of processor time`);
      else if (now !== undefined && now.bytes > limits.memoryBytes)
        end('memory', `more than ${Math.round(limits.memoryBytes / 2 ** 20)} MiB`);
      else if (Date.now() - began.wall > limits.wallSeconds * 1000)
        end('hang', `more than ${limits.wallSeconds} s`);
    }, LOOK_MS);
    child.once('message', finish);
    child.once('exit', (code, signal) =>
      finish({
        verdict: 'crash',
        text: `the process ended with ${code ?? signal}: ${child.said}`,
        isLost: true,
      }),
    );
    child.send(next);
  });
}
