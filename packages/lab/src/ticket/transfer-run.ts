import { UserError } from '@winnow/core';
import { z } from 'zod';
import { withChoicesOfModel } from '../model-source/choices';
import { originOn, startFrom } from '../model-source/start';
import { type GivenOptions, kebab } from '../options/group';
import { datasetsIn, listed, pathOption } from '../options/path';
import { adversaryOf, executionShape, optimizationShape, outShape, picturesShape } from '../options/training';
import type { PreparedRun, RunKind } from '../run/run-kind';
import { workloads } from '../table';
import { batchesOf } from '../training/data';
import { announceData } from '../workload/announce';
import { workloadNamed } from '../workload/choice';
import { type Control, controls } from './control';
import { type Destination, type Row, transferMatrix } from './matrix';
import { type TransferSummary, readTicketSummary, transferSummary, writeTicketSummary } from './summary';
import { readTicket } from './ticket-file';
import { ticketTrainingShape } from './training';

const shape = {
  tickets: pathOption('files').default('').describe('Ticket files, separated by commas'),
  from: pathOption('model')
    .min(1)
    .describe('The model that the tickets start from: run, model, checkpoint or hf:owner/name'),
  onto: pathOption('datasets').describe(
    'What to train them on: task:data, separated by commas; by default those of the run of --from',
  ),
  seeds: z.int().positive().default(3).describe('How many trainings of each, with seeds from --seed on'),
  controls: z
    .string()
    .default('none')
    .describe(`What to train of each ticket, separated by commas: ${controls.join(', ')} (none: itself)`),
  other: pathOption('model')
    .min(1)
    .optional()
    .describe('Another model with such towers: the control θ_0′ starts from it'),
  ...picturesShape,
  ...ticketTrainingShape,
  ...optimizationShape,
  ...executionShape,
  ...outShape,
};
const transferOptions = z.object(shape);
type TransferOptions = z.output<typeof transferOptions>;

const shapesOfTasks = workloads.reduce<z.ZodRawShape>(
  (all, { dataShape, trainingShape }) => ({ ...all, ...dataShape, ...trainingShape }),
  {},
);
/** Options of every task that there is: each takes its own. */
const schema = z.object({ ...shape, ...shapesOfTasks });
const groups = [{ title: 'Options of ticket transfer', schema }];

/** Trains tickets and controls on one or several tasks, beside the dense model. */
export const transferTicketsRun: RunKind<TransferOptions, TransferSummary> = {
  command: 'ticket transfer',
  groups: () => groups,
  groupsFor: () => groups,
  complete: async (given, resume) => {
    if (resume) return given;
    const completed = await withDestination(given);
    refuseUnread(given, String(completed['onto'] ?? ''));
    return completed;
  },
  nameOf: () => 'ticket-transfer',
  optionsOf: (values) => {
    const options = transferOptions.parse(values);
    adversaryOf(options); // refuses what does not fit together
    return options;
  },
  readSummary: (folder) => readTicketSummary(folder, transferSummary),
  isEnough: () => true,
  prepare: async ({ plan, options, note, startEngine }) => {
    const rows = await rowsOf(options);
    const engine = await startEngine();
    const destinations = await Promise.all(
      destinationsOf(options).map((one) => destinationOf(one, options, plan.options, note)),
    );
    const { from, seeds: count, seed } = options;
    const seeds = Array.from({ length: count }, (_, index) => seed + index);
    return {
      engine,
      stepsPerEpoch: Math.max(...destinations.map((destination) => destination.stepsPerEpoch)),
      skipped: destinations.flatMap(({ skipped = [] }) => skipped),
      work: async (runner, run) => {
        const summary = await transferMatrix(runner, { from, rows, destinations, seeds });
        await writeTicketSummary(run.folder, summary, transferSummary);
        return summary;
      },
      dispose: () => undefined,
    };
  },
};

/** Tickets are trained on what their model was trained for, unless tasks are named. */
async function withDestination(given: GivenOptions): Promise<GivenOptions> {
  const { from } = given;
  if (typeof from !== 'string' || given['onto'] !== undefined) return given;
  const { task, data, ...rest } = await withChoicesOfModel('ticket transfer', { from }, 'any', '--onto');
  return { onto: `${String(task)}:${String(data)}`, ...rest, ...given };
}

/**
 * Each task takes its own options, and one that no destination reads would do nothing.
 * @param given As they were given, before a model has filled any in.
 * @throws {UserError} that names them.
 */
function refuseUnread(given: GivenOptions, onto: string): void {
  const tasks = [...new Set(datasetsIn('onto', onto).map(({ task }) => task))];
  const read = tasks
    .map(workloadNamed)
    .map(({ dataShape, trainingShape }) => ({ ...dataShape, ...trainingShape }));
  const unread = Object.keys(given).filter(
    (key) =>
      given[key] !== undefined && key in shapesOfTasks && !(key in shape) && !read.some((own) => key in own),
  );
  if (unread.length === 0) return;
  const readers = (key: string) =>
    workloads
      .filter(({ dataShape, trainingShape }) => key in dataShape || key in trainingShape)
      .map(({ name }) => name)
      .join(', ');
  const lines = unread.map(
    (key) =>
      `--${kebab(key)} is for ${readers(key)}, and --onto names only ${tasks.join(', ')}: leave it out`,
  );
  throw new UserError(lines.join('; '));
}

/** Each ticket with each control, in this order. */
async function rowsOf({ tickets: files, controls: names, other }: TransferOptions): Promise<Row[]> {
  const tickets = await Promise.all(listed(files).map(readTicket));
  if (tickets.length === 0) throw new UserError('ticket transfer: expected files in --tickets');
  const chosen = listed(names).map(controlNamed);
  return tickets.flatMap((ticket): Row[] => [
    ...chosen.map((control) => ({ ticket, control })),
    ...(other === undefined ? [] : [{ ticket, control: 'other-weights' as const }]),
  ]);
}

function controlNamed(name: string): Control {
  const found = controls.find((control) => control === name);
  if (found === undefined) throw new UserError(`controls: expected ${controls.join(', ')}, got ${name}`);
  return found;
}

function destinationsOf({ onto }: TransferOptions): { readonly task: string; readonly data: string }[] {
  const found = datasetsIn('onto', onto);
  if (found.length === 0) throw new UserError('onto: expected at least one task:data');
  return found;
}

/** Opens the data once to see that it fits. */
async function destinationOf(
  { task, data }: { readonly task: string; readonly data: string },
  options: TransferOptions,
  own: unknown,
  note: (line: string) => void,
): Promise<Destination & Pick<PreparedRun<unknown>, 'stepsPerEpoch' | 'skipped'>> {
  const kind = workloadNamed(task);
  const { from, other = from, augmentation, eraseProbability, duration, learningRate } = options;
  const { preload, cacheMemory, cacheDisk, workers } = options;
  const choice = { data, augmentation, eraseProbability, preload, cacheMemory, cacheDisk, workers };
  const origins = {
    own: await originOn(kind, choice, own, { from, head: 'new', note }),
    other: await originOn(kind, choice, own, { from: other, head: 'new', note }),
  };
  const { workload, model } = origins.own;
  await announceData(workload, note);
  return {
    name: workload.facts.name,
    metric: workload.taskOf(model).metric,
    startAt: (seed, weights) => startFrom(origins[weights], { seed, head: 'new' }),
    training: { optimization: options, duration, learningRate, training: own },
    stepsPerEpoch: batchesOf(workload, options).stepsPerEpoch,
    skipped: workload.skipped,
  };
}
