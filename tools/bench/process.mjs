import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** The time that a worker may take to end by itself. */
const PATIENCE_MS = 5000;

/** A worker process that answers requests, one JSON line each way. Between them it waits and burns no time. */
export function workerProcess(command, args, environment) {
  const child = spawn(command, args, {
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
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
  return {
    /** @throws {Error} with the worker's reason where it has one. */
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      for (;;) {
        const { value: line, done } = await answers.next();
        if (done) throw new Error(startFailure ?? complaints.trim().split('\n').at(-1) ?? 'it ended');
        // Libraries write to stdout too; only an answer is an object.
        if (!line.startsWith('{')) continue;
        const answer = JSON.parse(line);
        if (answer.error !== undefined) throw new Error(answer.error);
        return answer;
      }
    },
    /** It ends with its requests. What does not, on a GPU whose driver is busy, say, is killed. */
    close() {
      child.stdin.end();
      const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
      return new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null || startFailure !== undefined) resolve();
        else child.once('exit', resolve);
      }).finally(() => clearTimeout(patience));
    },
  };
}
