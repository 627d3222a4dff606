import { spawn } from 'node:child_process';

/**
 * Runs a program of the archive to its end, its output logged as it comes.
 * @returns {Promise<{ ok: boolean, seconds: number, error?: string }>}
 */
export function child(program, args, { log, signal, environment = {}, cwd }) {
  const start = performance.now();
  return new Promise((resolve) => {
    const running = spawn(process.execPath, [program, ...args], {
      cwd,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    });
    running.stdout.on('data', (text) => log(String(text)));
    running.stderr.on('data', (text) => log(String(text)));
    const end = (result) =>
      resolve({ ...result, seconds: Number(((performance.now() - start) / 1000).toFixed(1)) });
    running.once('error', (error) =>
      end({ ok: false, error: error.name === 'AbortError' ? 'its time was over' : error.message }),
    );
    running.once('close', (status, killedBy) =>
      end(status === 0 ? { ok: true } : { ok: false, error: `it ended with ${killedBy ?? status}` }),
    );
  });
}
