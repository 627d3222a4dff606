import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { UserError, parseOptions, toJson } from '@winnow/core';
import { type JobQueue, localQueue, redisQueue } from '@winnow/job-queue';
import {
  chosenIn,
  commit,
  comparisonChanges,
  type ComparisonFolder,
  type ComparisonIdentity,
  type ComparisonRecord,
  conclude,
  engineShape,
  executeIn,
  type GivenOptions,
  hardware,
  hashOf,
  identifyComparison,
  isComparison,
  isDone,
  locateWorkloads,
  makeComparisonFolder,
  measuredOn,
  measureLatencies,
  type OpenedComparison,
  pathOption,
  planWith,
  readComparisonRecord,
  refuseForeignFolder,
  resolveGroups,
  runComparison,
  RunStoppedError,
  startChosen,
  version,
  writeComparisonEvents,
  writeComparisonRecord,
} from '@winnow/lab';
import { z } from 'zod';
import { readConfigFile } from '../arguments/config-file';
import { QUEUE_PASSWORD, queueAddress } from './queue-address';
import { concludedReport } from '../terminal/report/comparison-report';
import { jobProgress } from '../terminal/jobs';
import { type Terminal, noteOn, print } from '../terminal/terminal';
import type { Command, Installation } from './command';
import { makeRunByCommand } from './run-process';

const presets = ['quick', 'full'] as const;

const compareOptions = z.object({
  out: pathOption('output')
    .min(1)
    .optional()
    .describe('The folder; default runs/compare-<name>-<hash of the config>'),
  jobs: z
    .int()
    .positive()
    .max(1024)
    .default(availableParallelism())
    .describe('Runs at a time on this machine'),
  queue: z
    .string()
    .optional()
    .describe(
      `redis://host:6379: leave the runs to winnow worker, on this and other machines; its password may stand in ${QUEUE_PASSWORD}`,
    ),
  tensorboard: z.boolean().default(false).describe('Write TensorBoard event files of every run'),
});
const groups = [{ title: 'Options of compare', schema: compareOptions }];
const ownKeys = new Set(Object.keys(compareOptions.shape));

const nameIn = z.looseObject({ name: z.string().default('comparison') });
const runIn = z.looseObject({ run: z.record(z.string(), z.unknown()).nullish() });
const runOf = (config: unknown) => chosenIn(runIn, config).run ?? {};
const runOptions = z.strictObject({
  ...engineShape,
  threads: engineShape.threads.default(1).describe('CPU threads of each run'),
});
const runGroup = { key: 'run', title: 'Engine of all runs', schema: runOptions };

export const compareCommand = ({ presetFolder, program }: Installation): Command => ({
  name: 'compare',
  summary: 'Methods against each other and against controls, at several budgets and seeds',
  positional: {
    name: 'preset',
    description: `A comparison that comes with Winnow: ${presets.join(', ')}; or give your own with --config`,
    required: false,
  },
  startsRun: true,
  groups: () => [...groups, runGroup],
  run: async ({ given, positional, commandLine, terminal }) => {
    const options = compareOptions.parse(
      resolveGroups(
        pick(given, (key) => ownKeys.has(key)),
        groups,
      ),
    );
    const config = await configOf(given, positional, presetFolder);
    const path =
      options.out ?? join('runs', `compare-${chosenIn(nameIn, config).name}-${hashOf(toJson(config))}`);
    await refuseForeignFolder(path);
    const known = isComparison(path) ? await readComparisonRecord(path) : undefined;
    const asked = await recordOf(config, known, { path, source: sourceOf(given, positional) }, terminal);
    const checked = planWith(asked, undefined);
    const paths = locateWorkloads(checked, known?.paths ?? {}, 'typed');
    const identity = await identifyComparison(checked, paths);
    if (known !== undefined) announceChanges(known, identity, terminal);
    const record = { ...asked, identity, paths };
    const plan = planWith(record, record);
    const folder = await makeComparisonFolder(path);
    const queue = await queueOf(options, folder, program, terminal);
    await writeComparisonRecord(folder, record);
    print(
      terminal.stderr,
      `${plan.dense.length} dense models, ${plan.points.length} compressions; ${relative('.', folder.folder)}`,
    );
    try {
      const progress = jobProgress(terminal.stderr);
      const jobs = await runComparison(plan, folder, queue, progress.ended).finally(progress.close);
      const all = [...plan.dense.map(({ job }) => job), ...jobs.flatMap((job) => job ?? [])];
      const ids: string[] = [];
      for (const id of new Set(all.map(({ id }) => id))) if (await isDone(folder, { id })) ids.push(id);
      await measureLatencies(folder, ids, measuredOn(record), terminal.signal, (text) => {
        print(terminal.stderr, text);
      });
    } catch (error) {
      if (terminal.signal.aborted) throw new RunStoppedError(commandLine);
      throw error;
    } finally {
      await queue.close();
    }
    const concluded = await conclude(path);
    const { page, opened } = concluded;
    if (options.tensorboard) print(terminal.stderr, `event files: ${await writeComparisonEvents(opened)}`);
    print(terminal.stdout, `${concludedReport(concluded)}\n\nThe page is ${page}`);
    tellFailures(opened, terminal);
  },
});

/**
 * Says how many runs of a comparison came to nothing.
 * @throws {UserError} when none is left to compare.
 */
function tellFailures({ plan, outcomes }: OpenedComparison, { stderr }: Terminal): void {
  const all = plan.dense.length + plan.points.length;
  const failed = all - outcomes.dense.length - outcomes.measurements.length;
  if (failed === 0) return;
  if (outcomes.measurements.length > 0) {
    print(stderr, `${failed} of ${all} runs failed: they are listed under "Failed", with the reasons`);
    return;
  }
  const [first] = outcomes.failures;
  throw new UserError(
    `compare: there is nothing to compare: ${failed} of ${all} runs failed, ` +
      `the first of them, ${first?.what ?? 'a run'}: ${first?.message ?? 'for no known reason'}`,
  );
}

/** The comparison that was asked for: a preset, a file, or a preset with some of its keys changed by a file. */
async function configOf(
  given: GivenOptions,
  preset: string | undefined,
  presetFolder: string,
): Promise<GivenOptions> {
  const own = pick(given, (key) => !ownKeys.has(key));
  if (preset === undefined) {
    if (Object.keys(own).length > 0) return own;
    throw new UserError(
      `compare: expected a preset (${presets.join(', ')}) or --config with a file that says what to compare`,
    );
  }
  if (!presets.some((name) => name === preset)) {
    throw new UserError(`compare: there is no preset ${preset}; known are ${presets.join(', ')}`);
  }
  const base = await readConfigFile(join(presetFolder, `compare-${preset}.yaml`));
  return { ...base, ...own, run: { ...runOf(base), ...runOf(own) } };
}

/** Names what reproduces the comparison: its preset with the engine's flags, or the file that the page shows. */
function sourceOf(given: GivenOptions, preset: string | undefined): string {
  const isChanged = Object.keys(given).some((key) => !ownKeys.has(key) && key !== runGroup.key);
  if (preset === undefined || isChanged) return '--config comparison.yaml';
  const flags = Object.entries(runOf(given)).map(([key, value]) => `--${key} ${String(value)}`);
  return [preset, ...flags].join(' ');
}

/** Where and by what it is computed. A comparison that goes on does so on the engine that it began with. */
async function recordOf(
  config: GivenOptions,
  known: ComparisonRecord | undefined,
  { path, source }: { readonly path: string; readonly source: string },
  terminal: Terminal,
): Promise<ComparisonRecord> {
  const run = runOf(config);
  const parsed = parseOptions(runOptions, run, 'run');
  const isSame = known !== undefined && hashOf(toJson(runOf(known.given))) === hashOf(toJson(run));
  const asked = isSame ? chosenIn(runOptions, known.run) : parsed;
  const { name, precision, threads, device, description } = await startChosen(asked, noteOn(terminal));
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
  { stderr }: Terminal,
): void {
  if (before === undefined) {
    print(
      stderr,
      'the runs that are here are of an earlier Winnow, which did not record their data: all are made anew',
    );
    return;
  }
  const changes = comparisonChanges(before, now);
  if (changes.length > 0)
    print(
      stderr,
      `changed since this comparison was last run, so that its runs are made anew:\n  ${changes.join('\n  ')}`,
    );
}

async function queueOf(
  { queue, jobs }: z.output<typeof compareOptions>,
  folder: ComparisonFolder,
  program: string,
  { signal }: Terminal,
): Promise<JobQueue> {
  return queue === undefined
    ? localQueue({ concurrency: jobs, signal, execute: executeIn(folder, makeRunByCommand(program)) })
    : redisQueue({ url: queueAddress(queue), name: folder.queueName, signal });
}

const pick = (given: GivenOptions, isWanted: (key: string) => boolean): GivenOptions =>
  Object.fromEntries(Object.entries(given).filter(([key]) => isWanted(key)));
