import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { UserError, parseOptions } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { writeAtomically } from '@winnow/formats';
import { reportPage } from '@winnow/report';
import { z } from 'zod';
import { isComparison } from '../comparison/comparison-folder';
import { PAGE_FILE, conclude } from '../comparison/conclude';
import { runPage } from '../comparison/single-run';
import { runReport } from '../report/run-report';
import { recordIfAny } from '../run-folder/record';
import { resumeCommand } from '../run-folder/run-folder';
import { readSummary } from '../run-folder/summary';
import { type Terminal, print } from '../terminal/terminal';
import type { Command } from './command';

const reportOptions = z.object({
  open: z.boolean().default(false).describe('Show the page in the browser'),
});
const title = 'Options of report';

export const reportCommand: Command = {
  name: 'report',
  summary: 'The results of a run or a comparison: a table here, and one page that opens from disk',
  positional: { name: 'folder', description: 'A run, or a comparison, finished or not', required: true },
  startsRun: false,
  groups: () => [{ title, schema: reportOptions }],
  run: async ({ given, positional, terminal }) => {
    if (positional === undefined) throw new UserError('report: expected the folder of a run or a comparison');
    const { open } = parseOptions(reportOptions, given, title);
    // Models are only looked into, not run: the engine that is always there will do.
    await startEngine('wasm');
    const page = isComparison(positional)
      ? await reportComparison(positional, terminal)
      : await reportRun(positional, terminal);
    print(terminal.stdout, `The page is ${page}`);
    if (open) show(page);
  },
};

async function reportComparison(path: string, { stdout }: Terminal): Promise<string> {
  const { text, page } = await conclude(path);
  print(stdout, text);
  return page;
}

async function reportRun(path: string, { stdout }: Terminal): Promise<string> {
  const record = await recordIfAny(path);
  if (record === undefined) throw new UserError(`there is no run and no comparison in ${path}`);
  const summary = await readSummary(path);
  if (summary === undefined) {
    throw new UserError(`the run in ${path} has not finished: ${resumeCommand(record.command, path)}`);
  }
  const page = resolve(join(path, PAGE_FILE));
  await writeAtomically(page, reportPage(await runPage(path, record, summary)));
  print(stdout, runReport(summary, path));
  return page;
}

/** Hands a file to whatever shows such files here. */
function show(file: string): void {
  const [program, ...args] = ((): [string, ...string[]] => {
    switch (process.platform) {
      case 'darwin':
        return ['open', file];
      case 'win32':
        return ['cmd', '/c', 'start', '', file];
      default:
        return ['xdg-open', file];
    }
  })();
  const child = spawn(program, args, { stdio: 'ignore', detached: true });
  child.on('error', () => undefined); // no desktop: the path was printed
  child.unref();
}
