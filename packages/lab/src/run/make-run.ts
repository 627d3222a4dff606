import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { withPinnedModels } from '../model-source/hub-model';
import { chosenIn } from '../options/given';
import type { GivenOptions } from '../options/group';
import { pathOptionsOf } from '../options/path-options';
import { LOG_FOLDER } from '../results/event-name';
import { planRun } from '../run-folder/plan-run';
import { engineChoice } from '../run-folder/record';
import { beginRun } from '../run-folder/run-folder';
import { writeSkipped } from '../run-folder/skipped';
import { version } from '../version';
import { startChosen } from './engine';
import type { RunKind, RunOptions } from './run-kind';
import { inSession } from './run-session';
import type { RunWatch } from './watch';

const text = z.string().optional();
const chosen = z.looseObject({ method: text, task: text });

/** The request for a run. */
export interface AskedRun {
  /** Options by name, nested as in a config file; nothing is checked or filled in yet. */
  readonly given: GivenOptions;
  /** Whether to go on with the run that is there. */
  readonly resume: boolean;
}

/** A run that has finished, now or before. */
export interface FinishedRun<Summary> {
  readonly summary: Summary;
  readonly folder: string;
  /** Sentences for the reader of the results of a run that had finished before. */
  readonly remarks: readonly string[];
}

/**
 * Makes a run from its options to its summary: finds which run is meant, opens what it works on, begins or goes on with its
 * folder, which no other process may use meanwhile, and does the work. One that has finished is only read.
 * @throws {UserError} on options, data or files that are not as they should be; then nothing is written.
 * @throws {RunBusyError} while another process works in its folder.
 * @throws {RunStoppedError} when it was stopped; everything so far is saved.
 */
export async function makeRun<Options extends RunOptions, Summary>(
  kind: RunKind<Options, Summary>,
  { given, resume }: AskedRun,
  { progress, signal }: RunWatch,
): Promise<FinishedRun<Summary>> {
  const note = (line: string) => {
    progress.note(line);
  };
  const { method, task } = chosenIn(chosen, given);
  const paths = pathOptionsOf(kind.groups({ method, task }));
  const pinned = await withPinnedModels(given, paths, { note, signal });
  const plan = await planRun({
    command: kind.command,
    groupsFor: (options) => kind.groupsFor(options),
    given: await kind.complete(pinned, resume),
    resume,
    ...(kind.changeable === undefined ? {} : { changeable: kind.changeable }),
    nameOf: (options) => kind.nameOf(options),
    summaryIn: (folder, record) => kind.readSummary(folder, record),
    note,
  });
  const options = kind.optionsOf(plan.options);
  const { folder, remarks, finished } = plan;
  if (finished !== undefined && kind.isEnough(finished, options)) {
    return { summary: finished, folder, remarks };
  }
  for (const remark of remarks) note(remark);
  const startMs = performance.now();
  const startEngine = () => startChosen(engineChoice(plan.record, options), note);
  const prepared = await kind.prepare({ plan, options, note, startEngine });
  try {
    const { engine, sourceWeights, stepsPerEpoch, skipped = [] } = prepared;
    const source = sourceWeights === undefined ? {} : { sourceWeights };
    const run = await beginRun(plan, { engine, version: version(), ...source });
    if (skipped.length > 0) await writeSkipped(folder, skipped);
    const { checkpointEvery } = options;
    const logFolder = logFolderOf(options, run.folder);
    if (logFolder !== undefined) note(`TensorBoard: tensorboard --logdir ${logFolder}`);
    const session = { signal, progress, checkpointEvery, stepsPerEpoch, logFolder };
    const summary = await inSession(run, session, (runner) => prepared.work(runner, run, startMs));
    return { summary, folder, remarks: [] };
  } finally {
    prepared.dispose();
  }
}

/** Every run has a folder of its own there; in a folder that several share it is named after the run's. */
function logFolderOf({ tensorboard = false }: RunOptions, folder: string): string | undefined {
  if (tensorboard === false) return undefined;
  return tensorboard === true ? join(folder, LOG_FOLDER) : join(tensorboard, basename(resolve(folder)));
}
