import { fork } from 'node:child_process';
import { once } from 'node:events';
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
 * ends by itself is a crash. A try that waited for too long without computing is given another chance in a fresh process: on
 * a machine with other work it may have waited for the machine.
 * @param {{ index: number, kind: string }[]} tries
 * @param {{ jobs: number, fixtures: string, root: string, seed: string, limits: Limits, onResult: (result, worker: string) => void }} options
 */
export async function runTries(tries, { jobs, fixtures, root, seed, limits, onResult }) {
  const waiting = tries.toReversed();
  const lane = async (number) => {
    let process;
    let left = 0;
    const folder = join(root, `worker-${number}`);
    const stop = async () => {
      if (process !== undefined) await ended(process);
      process = undefined;
      rmSync(folder, { recursive: true, force: true });
    };
    const result = async (next) => {
      if (process === undefined || left === 0) {
        await stop();
        process = await started(folder, { fixtures, seed });
        left = TRIES_PER_PROCESS;
      }
      left--;
      const found = await done(process, next, limits);
      if (found.isLost) left = 0;
      return found;
    };
    for (let next; (next = waiting.pop()) !== undefined;) {
      let found = await result(next);
      if (found.isWaiting) found = { ...(await result(next)), isSecond: true };
      onResult({ ...next, ...found }, join(folder, 'a', 'b', 'c', 'd', 'case'));
    }
    await stop();
  };
  await Promise.all(Array.from({ length: jobs }, (_, number) => lane(number)));
}

/** Ends a process with those that it has started, and waits until it is gone: nothing of it writes any more. */
async function ended(child) {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit');
    endGroup(child);
    await gone;
  }
  endGroup(child);
}

function endGroup({ pid }) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody of the group is left.
  }
}

async function started(folder, { fixtures, seed }) {
  const child = fork(WORKER, [fixtures, folder, seed], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // The user's own cache stays out of it.
    env: { ...process.env, XDG_CACHE_HOME: join(folder, 'cache'), TMPDIR: join(folder, 'tmp') },
    execArgv: ['--max-old-space-size=1024'],
    // A group of its own.
    detached: true,
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
  const began = usage(child.pid);
  return new Promise((settle) => {
    const finish = (result) => {
      clearInterval(watch);
      child.removeAllListeners('message');
      child.removeAllListeners('exit');
      settle(result);
    };
    const lost = (verdict, text, more) => finish({ verdict, text, isLost: true, ...more });
    const gone = (code, signal) => lost('crash', `the process ended with ${code ?? signal}: ${child.said}`);
    // Looks are counted rather than the clock read: a machine that was stopped for an hour has not computed for an hour.
    let looks = 0;
    const watch = setInterval(() => {
      looks++;
      const now = usage(child.pid);
      if (now !== undefined && now.cpuSeconds - (began?.cpuSeconds ?? 0) > limits.cpuSeconds)
        lost('hang', `more than ${limits.cpuSeconds} s of processor time`);
      else if (now !== undefined && now.bytes > limits.memoryBytes)
        lost('memory', `more than ${Math.round(limits.memoryBytes / 2 ** 20)} MiB`);
      else if (looks * LOOK_MS > limits.wallSeconds * 1000)
        lost('hang', `more than ${limits.wallSeconds} s, mostly waiting`, { isWaiting: true });
    }, LOOK_MS);
    if (child.exitCode !== null || child.signalCode !== null) {
      gone(child.exitCode, child.signalCode);
      return;
    }
    child.once('message', finish);
    child.once('exit', gone);
    child.send(next, (error) => {
      if (error !== null) lost('crash', `the process does not listen (${error.message}): ${child.said}`);
    });
  });
}
