import { join, relative } from 'node:path';
import { parseOptions, toJson } from '@winnow/core';
import type { JobQueue } from '@winnow/job-queue';
import { localQueue } from '@winnow/job-queue';
import { z } from 'zod';
import { chosenIn } from '../options/given';
import type { GivenOptions, OptionGroup } from '../options/group';
import { hashOf } from '../options/hash';
import { engineShape } from '../options/training';
import type { JobProgress } from '../progress/job-progress';
import { startChosen } from '../run/engine';
import { RunStoppedError } from '../run/run-session';
import { version } from '../version';
import {
  type ComparisonFolder,
  type ComparisonRecord,
  isComparison,
  isDone,
  makeComparisonFolder,
  readComparisonRecord,
  refuseForeignFolder,
  writeComparisonRecord,
} from './comparison-folder';
import {
  type ComparisonIdentity,
  comparisonChanges,
  identifyComparison,
  locateWorkloads,
  pinnedWorkloads,
} from './comparison-identity';
import { type ConcludedComparison, conclude } from './conclude';
import { commit, hardware } from './environment';
import { executeIn } from './execute';
import { measureLatencies, measuredOn } from './latency';
import { makeRunHere } from './make-run-here';
import { planWith } from './open-comparison';
import { runComparison } from './run-comparison';

const nameIn = z.looseObject({ name: z.string().default('comparison') });
const runIn = z.looseObject({ run: z.record(z.string(), z.unknown()).nullish() });

/** The options in a comparison's config of the engine that computes all its runs. */
export const engineOfRuns = (config: unknown): GivenOptions => chosenIn(runIn, config).run ?? {};

const runOptions = z.strictObject({
  ...engineShape,
  threads: engineShape.threads.default(1).describe('CPU threads of each run'),
});
/** The engine of all runs of a comparison. */
export const engineOfRunsGroup = {
  key: 'run',
  title: 'Engine of all runs',
  schema: runOptions,
} as const satisfies OptionGroup;

/** Whoever looks on while a comparison is made, and may stop it. */
export interface ComparisonWatch {
  /** Told a line at a time. */
  note(line: string): void;
  /** Begins to show how far the runs are. */
  showJobs(): JobProgress;
  /** Aborted when the comparison is to stop: it can go on later. */
  readonly signal: AbortSignal;
}

/** The setting of a comparison. Every part may be left out. */
export interface ComparisonSetting {
  /** Its folder; by default `runs/compare-<name>-<hash of the config>`. */
  readonly out?: string | undefined;
  /** Where its runs are done: in this process, one after the other, unless a queue is given. */
  queueIn?(folder: ComparisonFolder, signal: AbortSignal): JobQueue | Promise<JobQueue>;
  /** The arguments of `winnow compare` that ask for it again, for the page. */
  readonly source?: string;
  /** The command by which it goes on when it was stopped. */
  readonly commandLine?: string;
  readonly watch?: ComparisonWatch;
}

const unwatched = (): ComparisonWatch => ({
  note: () => undefined,
  showJobs: () => ({ ended: () => undefined, close: () => undefined }),
  signal: new AbortController().signal,
});

/** Does runs in this process: there is one engine, so that they come one after the other. */
const queueHere = (folder: ComparisonFolder, signal: AbortSignal): JobQueue =>
  localQueue({ concurrency: 1, signal, execute: executeIn(folder, makeRunHere) });

/**
 * Compares methods with each other and with controls: makes every run that is not there yet, measures latencies, and writes
 * down what came out. A comparison that was begun in the folder goes on.
 * @param config As in a config file of `winnow compare`.
 * @throws {UserError} when the config is not allowed, its data are not there, or the folder is somebody else's.
 * @throws {RunStoppedError} when it was stopped; all runs that have finished are kept.
 */
export async function compare(
  config: GivenOptions,
  {
    out,
    queueIn = queueHere,
    source = '--config comparison.yaml',
    commandLine,
    watch = unwatched(),
  }: ComparisonSetting = {},
): Promise<ConcludedComparison> {
  const { signal } = watch;
  const note = (line: string) => {
    watch.note(line);
  };
  const path = out ?? join('runs', `compare-${chosenIn(nameIn, config).name}-${hashOf(toJson(config))}`);
  await refuseForeignFolder(path);
  const known = isComparison(path) ? await readComparisonRecord(path) : undefined;
  const asked = await recordOf(config, known, { path, source }, note);
  const checked = planWith(asked, undefined);
  const located = locateWorkloads(checked, known?.paths ?? {}, 'typed');
  const paths = await pinnedWorkloads(located, { note, signal });
  const identity = await identifyComparison(checked, paths);
  if (known !== undefined) announceChanges(known, identity, note);
  const record = { ...asked, identity, paths };
  const plan = planWith(record, record);
  const folder = await makeComparisonFolder(path);
  const queue = await queueIn(folder, signal);
  await writeComparisonRecord(folder, record);
  note(
    `${plan.dense.length} dense models, ${plan.points.length} compressions; ${relative('.', folder.folder)}`,
  );
  try {
    const progress = watch.showJobs();
    const jobs = await runComparison(plan, folder, queue, (count, text) => {
      progress.ended(count, text);
    }).finally(() => {
      progress.close();
    });
    const all = [...plan.dense.map(({ job }) => job), ...jobs.flatMap((job) => job ?? [])];
    const ids: string[] = [];
    for (const id of new Set(all.map(({ id }) => id))) if (await isDone(folder, { id })) ids.push(id);
    await measureLatencies(folder, ids, plan.config.latency, measuredOn(record), signal, note);
  } catch (error) {
    if (signal.aborted) throw new RunStoppedError(commandLine ?? record.command);
    throw error;
  } finally {
    await queue.close();
  }
  return conclude(path);
}

/** Where and by what it is computed. A comparison that goes on does so on the engine that it began with. */
async function recordOf(
  config: GivenOptions,
  known: ComparisonRecord | undefined,
  { path, source }: { readonly path: string; readonly source: string },
  note: (line: string) => void,
): Promise<ComparisonRecord> {
  const run = engineOfRuns(config);
  const parsed = parseOptions(runOptions, run, 'run');
  const isSame = known !== undefined && hashOf(toJson(engineOfRuns(known.given))) === hashOf(toJson(run));
  const asked = isSame ? chosenIn(runOptions, known.run) : parsed;
  const { name, precision, threads, device, description } = await startChosen(asked, note);
  const hash = commit();
  return {
    kind: 'comparison',
    given: toJson(config),
    run: { engine: name, precision, threads, device },
    engine: description,
    winnow: version(),
    ...(hash === undefined ? {} : { commit: hash }),
    hardware: hardware(),
    node: process.version,
    command: `winnow compare ${source} --out ${relative('.', path)}`,
  };
}

/** Runs are known by their data and code: those of other data or code are not looked at, but made anew. */
function announceChanges(
  { identity: before }: ComparisonRecord,
  now: ComparisonIdentity,
  note: (line: string) => void,
): void {
  if (before === undefined) {
    note(
      'the runs that are here are of an earlier Winnow, which did not record their data: all are made anew',
    );
    return;
  }
  const changes = comparisonChanges(before, now);
  if (changes.length > 0)
    note(
      `changed since this comparison was last run, so that its runs are made anew:\n  ${changes.join('\n  ')}`,
    );
}
