import { UserError } from '@winnow/core';
import {
  adversaryOf,
  announceData,
  batchesOf,
  beginRun,
  type Control,
  controls,
  datasetsIn,
  type Destination,
  engineChoice,
  executionShape,
  type GivenOptions,
  inSession,
  listed,
  optimizationShape,
  originOn,
  outShape,
  pathOption,
  picturesShape,
  planRun,
  readableOr,
  readTicket,
  readTicketSummary,
  type Row,
  startChosen,
  startFrom,
  ticketTrainingShape,
  transferMatrix,
  transferSummary,
  version,
  withChoicesOfModel,
  workloadNamed,
  workloads,
  writeTicketSummary,
} from '@winnow/lab';
import { z } from 'zod';
import { progressOn } from '../terminal/progress';
import { remarked } from '../terminal/report/remarks';
import { type Terminal, noteOn, print } from '../terminal/terminal';
import { transferReport } from '../terminal/report/ticket-report';
import type { Command, Invocation } from './command';

const shape = {
  tickets: pathOption('files').default('').describe('Ticket files, separated by commas'),
  from: pathOption('model')
    .min(1)
    .describe('The model that the tickets start from: run, model or checkpoint'),
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

export const ticketTransferCommand: Command = {
  name: 'ticket transfer',
  summary: 'Train lottery tickets and controls on several tasks: the matrix, with verdicts',
  startsRun: true,
  groups: () => groups,
  run: async ({ given: asked, resume, terminal }: Invocation) => {
    const given = resume ? asked : await withDestination(asked);
    const plan = await planRun({
      command: 'ticket transfer',
      groupsFor: () => groups,
      given,
      resume,
      nameOf: () => 'ticket-transfer',
    });
    const finished = await readableOr(readTicketSummary(plan.folder, transferSummary), (text) => {
      print(terminal.stderr, text);
    });
    if (finished !== undefined) {
      print(terminal.stdout, remarked(transferReport(finished, plan.folder), plan.remarks));
      return;
    }
    for (const remark of plan.remarks) print(terminal.stderr, remark);
    const options = transferOptions.parse(plan.options);
    adversaryOf(options); // refuses what does not fit together
    const rows = await rowsOf(options);
    const engine = await startChosen(engineChoice(plan.record, options), noteOn(terminal));
    const destinations = await Promise.all(
      destinationsOf(options).map((one) => destinationOf(one, options, plan.options, terminal)),
    );
    const stepsPerEpoch = Math.max(...destinations.map((destination) => destination.stepsPerEpoch));
    const run = await beginRun(plan, { engine, version: version() });
    const { from, seeds, seed, checkpointEvery } = options;
    const session = {
      signal: terminal.signal,
      progress: progressOn(terminal),
      checkpointEvery,
      stepsPerEpoch,
    };
    const job = {
      from,
      rows,
      destinations,
      seeds: Array.from({ length: seeds }, (_, index) => seed + index),
    };
    const summary = await inSession(run, session, (runner) => transferMatrix(runner, job));
    await writeTicketSummary(run.folder, summary, transferSummary);
    print(terminal.stdout, transferReport(summary, plan.folder));
  },
};

/** Tickets are trained on what their model was trained for, unless tasks are named. */
async function withDestination(given: GivenOptions): Promise<GivenOptions> {
  const { from } = given;
  if (typeof from !== 'string' || given['onto'] !== undefined) return given;
  const { task, data, ...rest } = await withChoicesOfModel('ticket transfer', { from }, 'any', '--onto');
  return { onto: `${String(task)}:${String(data)}`, ...rest, ...given };
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
  terminal: Terminal,
): Promise<Destination & { readonly stepsPerEpoch: number }> {
  const kind = workloadNamed(task);
  const { from, other = from, augmentation, preload, duration, learningRate } = options;
  const choice = { data, augmentation, preload };
  const origins = {
    own: await originOn(kind, choice, own, { from, head: 'new', note: noteOn(terminal) }),
    other: await originOn(kind, choice, own, { from: other, head: 'new', note: noteOn(terminal) }),
  };
  const { workload, model } = origins.own;
  announceData(workload, noteOn(terminal));
  return {
    name: workload.facts.name,
    metric: workload.taskOf(model).metric,
    startAt: (seed, weights) => startFrom(origins[weights], { seed, head: 'new' }),
    training: { optimization: options, duration, learningRate, training: own },
    stepsPerEpoch: batchesOf(workload, options).stepsPerEpoch,
  };
}
