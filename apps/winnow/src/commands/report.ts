import { spawn } from 'node:child_process';
import { UserError, parseOptions } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { type WrittenReport, writeReport } from '@winnow/lab';
import { z } from 'zod';
import { concludedReport } from '../terminal/report/comparison-report';
import { remarked } from '../terminal/report/remarks';
import { runReport } from '../terminal/report/run-report';
import { ticketReport } from '../terminal/report/ticket-report';
import { print } from '../terminal/terminal';
import type { Command } from './command';

const reportOptions = z.object({
  open: z.boolean().default(false).describe('Show the page in the browser'),
  tensorboard: z.boolean().default(false).describe('Write TensorBoard event files of every run'),
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
    const { open, tensorboard } = parseOptions(reportOptions, given, title);
    // Models are only looked into, not run: the engine that is always there will do.
    await startEngine('wasm');
    const report = await writeReport(positional, { tensorboard });
    if (report.kind === 'comparison' && report.events !== undefined)
      print(terminal.stderr, `event files: ${report.events}`);
    print(terminal.stdout, textOf(report, positional));
    print(terminal.stdout, `The page is ${report.page}`);
    if (open) show(report.page);
  },
};

function textOf(report: WrittenReport, path: string): string {
  switch (report.kind) {
    case 'comparison':
      return concludedReport(report.concluded);
    case 'run':
      return remarked(runReport(report.summary, path), report.remarks);
    case 'ticket run':
      return remarked(ticketReport(report.summary, path), report.remarks);
    default:
      return report satisfies never;
  }
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
