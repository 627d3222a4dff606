import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { whereabouts } from './whereabouts.mjs';

/** The time that a worker may take to end by itself. */
const PATIENCE_MS = 5000;

/**
 * A worker process that answers requests, one JSON line each way. Between them it waits and burns no time. It ends with this
 * process, which may be told to end while the worker computes: what went on would take the device from whoever comes next.
 * @param {number} [patienceMs] how long an answer may take; then the worker is killed. Without it, as long as it takes.
 */
export function workerProcess(command, args, { environment = {}, patienceMs } = {}) {
  const child = spawn(command, args, {
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  let complaints = '';
  child.stderr.on('data', (text) => {
    complaints = `${complaints}${text}`.slice(-4000);
  });
  // A worker that dies is told by its missing answer; a broken pipe says nothing more.
  child.stdin.on('error', () => undefined);
  let startFailure;
  child.on('error', (error) => {
    startFailure = error.message;
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  /** Gives the next object: libraries write to stdout too, and no answer of theirs is one. */
  async function answer(stalled) {
    for (;;) {
      const { value: line, done } = await answers.next();
      if (done)
        throw new Error(stalled() ?? startFailure ?? complaints.trim().split('\n').at(-1) ?? 'it ended');
      if (line.startsWith('{')) return JSON.parse(line);
    }
  }
  return {
    /** @throws {Error} with the worker's reason where it has one, or with where it was when patience was at its end. */
    async ask(request) {
      let stall;
      const patience =
        patienceMs === undefined
          ? undefined
          : setTimeout(() => {
              stall = `no answer within ${patienceMs / 1000} s: ${whereabouts(child.pid)}`;
              kill();
            }, patienceMs);
      try {
        child.stdin.write(`${JSON.stringify(request)}\n`);
        const found = await answer(() => stall);
        if (found.error !== undefined) throw new Error(found.error);
        return found;
      } finally {
        clearTimeout(patience);
      }
    },
    /** It ends with its requests. What does not, on a GPU whose driver is busy, say, is killed. */
    close() {
      child.stdin.end();
      const patience = setTimeout(kill, PATIENCE_MS);
      return new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null || startFailure !== undefined) resolve();
        else child.once('exit', resolve);
      }).finally(() => clearTimeout(patience));
    },
  };
}
