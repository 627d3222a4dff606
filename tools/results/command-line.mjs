import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Runs the command line, `jobs` at a time, or finds the finished run, and reads its summary. A run that fails ends the
 * process with its exit code.
 * @returns {{
 *   winnow: (command: string, folder: string, ...args: string[]) => Promise<{ out: string, summary: object }>,
 *   answer: (command: string, ...args: string[]) => Promise<object>,
 * }} `winnow` makes runs; `answer` reads what a command that makes none prints as JSON.
 */
export function commandLine({ root, folder, always, jobs }) {
  const main = join(root, 'apps/winnow/dist/main.js');
  const waiting = [];
  let running = 0;

  const next = () => {
    if (running >= jobs) return;
    const start = waiting.shift();
    if (start === undefined) return;
    running++;
    start();
  };

  const run = (args) =>
    new Promise((resolve) => {
      waiting.push(() => {
        console.error(`winnow ${args.join(' ')}`);
        const child = spawn(process.execPath, [main, ...args], {
          cwd: root,
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        let complaint = '';
        child.stderr.on('data', (chunk) => (complaint = (complaint + chunk).slice(-4000)));
        child.on('close', (code) => {
          running--;
          if (code !== 0) {
            console.error(complaint);
            process.exit(code ?? 1);
          }
          next();
          resolve();
        });
      });
      next();
    });

  const winnow = async (command, name, ...args) => {
    const out = join(root, folder, name);
    const file = join(out, 'summary.json');
    // A run that has finished is not made again, but refused where data or code have changed since.
    const resume = existsSync(out) ? ['--resume'] : [];
    await run([...command.split(' '), ...args, ...always, '--out', out, ...resume]);
    return { out, summary: JSON.parse(readFileSync(file, 'utf8')) };
  };

  const answer = async (command, ...args) => {
    const { stdout } = await promisify(execFile)(process.execPath, [main, ...command.split(' '), ...args]);
    return JSON.parse(stdout);
  };

  return { winnow, answer };
}
