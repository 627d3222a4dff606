import { join, resolve } from 'node:path';
import { UserError } from '@winnow/core';
import { writeAtomically } from '@winnow/formats';
import { runPage, sparsityPage } from '@winnow/report';
import { z } from 'zod';
import { isComparison } from '../comparison/comparison-folder';
import { type ConcludedComparison, PAGE_FILE, conclude } from '../comparison/conclude';
import { singleRunPage } from '../comparison/single-run';
import { writeComparisonEvents } from '../comparison/tensorboard';
import { runCommands } from '../identity/identify';
import { resolveGroups } from '../options/group';
import { pathOptionsOf } from '../options/path-options';
import { LOG_FOLDER } from '../results/event-name';
import { writeEvents } from '../results/tensorboard';
import { runKinds } from '../run/run-kinds';
import { refuseDamaged } from '../run-folder/plan-run';
import { presentState, remarksOn } from '../run-folder/present-state';
import { type RunRecord, recordIfAny } from '../run-folder/record';
import { resumeCommand } from '../run-folder/resume-command';
import { type Summary, checkRun, readSummary } from '../run-folder/summary';
import { type TicketSummary, isTicketRun, ticketRunPage } from '../ticket/page';

/** The results in a folder, and the page that was written of them. */
export type WrittenReport =
  | {
      readonly kind: 'comparison';
      readonly page: string;
      readonly concluded: ConcludedComparison;
      /** The folder of the event files, where they were asked for. */
      readonly events: string | undefined;
    }
  | ReportOfRun<'run', Summary>
  | ReportOfRun<'ticket run', TicketSummary>;

interface ReportOfRun<Kind, Results> {
  readonly kind: Kind;
  readonly page: string;
  readonly summary: Results;
  /** Sentences that a reader needs beside the numbers. */
  readonly remarks: readonly string[];
}

/**
 * Writes the results of a run or a comparison as one page that opens from disk. An engine must be running.
 * @param path The folder of a run that has finished, or of a comparison, finished or not.
 * @param tensorboard Whether to write TensorBoard event files as well.
 * @throws {UserError} when there is neither, or the run has not finished. @throws {FormatError} when its files are damaged.
 */
export async function writeReport(
  path: string,
  { tensorboard = false }: { readonly tensorboard?: boolean } = {},
): Promise<WrittenReport> {
  return isComparison(path) ? reportComparison(path, tensorboard) : reportRun(path, tensorboard);
}

async function reportComparison(path: string, tensorboard: boolean): Promise<WrittenReport> {
  const concluded = await conclude(path);
  const events = tensorboard ? await writeComparisonEvents(concluded.opened) : undefined;
  return { kind: 'comparison', page: concluded.page, concluded, events };
}

async function reportRun(path: string, tensorboard: boolean): Promise<WrittenReport> {
  const record = await recordIfAny(path);
  if (record === undefined) throw new UserError(`there is no run and no comparison in ${path}`);
  const page = resolve(join(path, PAGE_FILE));
  const remarks = await remarksOnRun(path, record);
  if (isTicketRun(record)) {
    const found = await ticketRunPage(path, record, remarks);
    await writeAtomically(page, sparsityPage(found.page));
    if (tensorboard) await writeEvents(path, join(path, LOG_FOLDER));
    return { kind: 'ticket run', page, summary: found.summary, remarks };
  }
  const summary = await readSummary(path);
  if (summary === undefined) {
    throw new UserError(`the run in ${path} has not finished: ${resumeCommand(record.command, path)}`);
  }
  checkRun(path, summary, record.hash);
  await writeAtomically(page, runPage(await singleRunPage(path, record, summary, remarks)));
  if (tensorboard) await writeEvents(path, join(path, LOG_FOLDER));
  return { kind: 'run', page, summary, remarks };
}

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
  if (name === undefined) return [];
  const groups = runKinds[name].groups(choice.parse(options));
  refuseDamaged(folder, () => resolveGroups(options, groups));
  const pathOptions = pathOptionsOf(groups);
  const run = { folder, command: name, before: identity, options, pathOptions, recordedPaths: paths };
  return remarksOn(await presentState(run));
}
