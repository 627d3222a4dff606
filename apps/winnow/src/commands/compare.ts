import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@winnow/core';
import { type JobQueue, localQueue, redisQueue } from '@winnow/job-queue';
import {
  type ComparisonFolder,
  type GivenOptions,
  type OpenedComparison,
  compare,
  engineOfRuns,
  engineOfRunsGroup,
  type ComparedOn,
  comparedOnShape,
  comparingOn,
  executeIn,
  pathOption,
  resolveGroups,
  writeComparisonEvents,
} from '@winnow/lab';
import { z } from 'zod';
import { readConfigFile } from '../arguments/config-file';
import { jobProgress } from '../terminal/jobs';
import { concludedReport } from '../terminal/report/comparison-report';
import { type Terminal, noteOn, print } from '../terminal/terminal';
import type { Command, Installation } from './command';
import { QUEUE_PASSWORD, queueAddress } from './queue-address';
import { makeRunByCommand } from './run-process';

/** The comparisons that come with Winnow, and the flags without which each of them compares nothing. */
const presets = { quick: [], photos: ['data', 'from'], full: [] } as const satisfies Readonly<
  Record<string, readonly (keyof ComparedOn)[]>
>;
const presetNames = Object.keys(presets).join(', ');

const compareOptions = z.object({
  out: pathOption('output')
    .min(1)
    .optional()
    .describe('The folder; default runs/compare-<name>-<hash of the config>'),
  ...comparedOnShape,
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

export const compareCommand = ({ presetFolder, program }: Installation): Command => ({
  name: 'compare',
  summary: 'Methods against each other and against controls, at several budgets and seeds',
  positional: {
    name: 'preset',
    description: `A comparison that comes with Winnow: ${presetNames}; or give your own with --config`,
    required: false,
  },
  startsRun: true,
  groups: () => [...groups, engineOfRunsGroup],
  run: async ({ given, positional, commandLine, terminal }) => {
    const options = compareOptions.parse(
      resolveGroups(
        pick(given, (key) => ownKeys.has(key)),
        groups,
      ),
    );
    const config = comparingOn(await configOf(given, positional, presetFolder), options);
    const concluded = await compare(config, {
      out: options.out,
      queueIn: queueFor(options, program),
      source: sourceOf(given, positional),
      commandLine,
      watch: {
        note: noteOn(terminal),
        showJobs: () => jobProgress(terminal.stderr),
        signal: terminal.signal,
      },
    });
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
      `compare: expected a preset (${presetNames}) or --config with a file that says what to compare`,
    );
  }
  if (!isPreset(preset)) {
    throw new UserError(`compare: there is no preset ${preset}; known are ${presetNames}`);
  }
  const missing = presets[preset].filter((flag) => given[flag] === undefined);
  if (missing.length > 0) {
    throw new UserError(
      `compare ${preset}: expected --${missing.join(' and --')}: the pictures and the model that it is about`,
    );
  }
  const base = await readConfigFile(join(presetFolder, `compare-${preset}.yaml`));
  return { ...base, ...own, run: { ...engineOfRuns(base), ...engineOfRuns(own) } };
}

const isPreset = (name: string): name is keyof typeof presets => Object.hasOwn(presets, name);

/** Names what reproduces the comparison: its preset with its flags, or the file that the page shows. */
function sourceOf(given: GivenOptions, preset: string | undefined): string {
  const isChanged = Object.keys(given).some((key) => !ownKeys.has(key) && key !== engineOfRunsGroup.key);
  if (preset === undefined || isChanged) return '--config comparison.yaml';
  const subject = pick(given, (key) => Object.hasOwn(comparedOnShape, key));
  const flags = Object.entries({ ...subject, ...engineOfRuns(given) }).map(
    ([key, value]) => `--${key} ${String(value)}`,
  );
  return [preset, ...flags].join(' ');
}

const queueFor =
  ({ queue, jobs }: z.output<typeof compareOptions>, program: string) =>
  (folder: ComparisonFolder, signal: AbortSignal): JobQueue | Promise<JobQueue> =>
    queue === undefined
      ? localQueue({ concurrency: jobs, signal, execute: executeIn(folder, makeRunByCommand(program)) })
      : redisQueue({ url: queueAddress(queue), name: folder.queueName, signal });

const pick = (given: GivenOptions, isWanted: (key: string) => boolean): GivenOptions =>
  Object.fromEntries(Object.entries(given).filter(([key]) => isWanted(key)));
