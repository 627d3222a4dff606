import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { UserError, parseOptions } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { writeAtomically } from '@winnow/formats';
import {
  conclude,
  isComparison,
  isTicketRun,
  LOG_FOLDER,
  PAGE_FILE,
  pathOptionsOf,
  presentState,
  readSummary,
  recordIfAny,
  refuseDamaged,
  remarksOn,
  resolveGroups,
  resumeCommand,
  runCommands,
  runPage,
  type RunRecord,
  ticketRunPage,
  writeComparisonEvents,
  writeEvents,
} from '@winnow/lab';
import { reportPage, sparsityPage } from '@winnow/report';
import { z } from 'zod';
import { concludedReport } from '../terminal/report/comparison-report';
import { runReport } from '../terminal/report/run-report';
import { ticketReport } from '../terminal/report/ticket-report';
import { remarked } from '../terminal/report/remarks';
import { type Terminal, print } from '../terminal/terminal';
import type { Command } from './command';
import { compressCommand } from './compress';
import { ticketFindCommand } from './ticket-find';
import { ticketTrainCommand } from './ticket-train';
import { ticketTransferCommand } from './ticket-transfer';
import { trainCommand } from './train';

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
    const page = isComparison(positional)
      ? await reportComparison(positional, tensorboard, terminal)
      : await reportRun(positional, tensorboard, terminal);
    print(terminal.stdout, `The page is ${page}`);
    if (open) show(page);
  },
};

async function reportComparison(
  path: string,
  tensorboard: boolean,
  { stdout, stderr }: Terminal,
): Promise<string> {
  const concluded = await conclude(path);
  if (tensorboard) print(stderr, `event files: ${await writeComparisonEvents(concluded.opened)}`);
  print(stdout, concludedReport(concluded));
  return concluded.page;
}

async function reportRun(path: string, tensorboard: boolean, { stdout }: Terminal): Promise<string> {
  const record = await recordIfAny(path);
  if (record === undefined) throw new UserError(`there is no run and no comparison in ${path}`);
  const page = resolve(join(path, PAGE_FILE));
  const remarks = await remarksOnRun(path, record);
  if (isTicketRun(record)) {
    const found = await ticketRunPage(path, record, remarks);
    await writeAtomically(page, sparsityPage(found.page));
    if (tensorboard) await writeEvents(path, join(path, LOG_FOLDER));
    print(stdout, remarked(ticketReport(found.summary, path), remarks));
    return page;
  }
  const summary = await readSummary(path);
  if (summary === undefined) {
    throw new UserError(`the run in ${path} has not finished: ${resumeCommand(record.command, path)}`);
  }
  await writeAtomically(page, reportPage(await runPage(path, record, summary, remarks)));
  if (tensorboard) await writeEvents(path, join(path, LOG_FOLDER));
  print(stdout, remarked(runReport(summary, path), remarks));
  return page;
}

/** The commands that begin runs. */
const runners: readonly Command[] = [
  trainCommand,
  compressCommand,
  ticketFindCommand,
  ticketTrainCommand,
  ticketTransferCommand,
];
/** The options that decide which others there are; a value that is not allowed is refused with the others. */
const choice = z.looseObject({
  method: z.string().optional().catch(undefined),
  task: z.string().optional().catch(undefined),
});

/**
 * Describes in sentences what has changed since a run was made, or is not known of it.
 * @throws {UserError} when its record has options that no run has.
 */
async function remarksOnRun(
  folder: string,
  { command, options, identity, paths = {} }: RunRecord,
): Promise<readonly string[]> {
  const name = runCommands.find((known) => known === command);
  const runner = runners.find((known) => known.name === command);
  if (name === undefined || runner === undefined) return [];
  const groups = runner.groups(choice.parse(options));
  refuseDamaged(folder, () => resolveGroups(options, groups));
  const pathOptions = pathOptionsOf(groups);
  const run = { folder, command: name, before: identity, options, pathOptions, recordedPaths: paths };
  return remarksOn(await presentState(run));
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
