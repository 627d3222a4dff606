import { type Runner, disposeTree, prunableMatrices, toJson } from '@winnow/core';
import { type Ticket, keptIn, keptShares } from '@winnow/lottery-ticket';
import { z } from 'zod';
import { withChoicesOfModel } from '../model-source/choices';
import { weightBytes } from '../model-source/open-model';
import { saveTrained } from '../model-source/save-trained';
import { type Start, originOn, startFrom, towerDigests } from '../model-source/start';
import { pathOption } from '../options/path';
import {
  adversaryOf,
  dataOfModelShape,
  executionShape,
  optimizationShape,
  outShape,
} from '../options/training';
import type { Beginning, PreparedRun, RunKind } from '../run/run-kind';
import { shortName } from '../run-folder/plan-run';
import type { RunFolder } from '../run-folder/run-folder';
import { batchesOf } from '../training/data';
import { announceData } from '../workload/announce';
import { taskShape, workloadIn, workloadNamed } from '../workload/choice';
import type { WorkloadKind } from '../workload/workload';
import { checkStart } from './check-start';
import { controlled, controls } from './control';
import { type TicketTrainSummary, readTicketSummary, trainSummary, writeTicketSummary } from './summary';
import { readTicket } from './ticket-file';
import { ticketTrainingShape, trainTicket } from './training';

const ownShape = {
  ticket: pathOption('file').min(1).describe('The ticket, a file that ticket find wrote'),
  from: pathOption('model')
    .min(1)
    .describe('The model whose towers it starts from: run, model, checkpoint or hf:owner/name'),
  otherWeights: z
    .boolean()
    .default(false)
    .describe("Start from weights that are not the ticket's: the control θ_0′"),
  control: z.enum(controls).default('none').describe('What is trained in its place at the same sparsity'),
  ...taskShape,
  ...dataOfModelShape,
  ...ticketTrainingShape,
  ...optimizationShape,
  ...executionShape,
  ...outShape,
};
const trainOptions = z.object(ownShape);

const groupsOf = (kind: WorkloadKind) => [
  {
    title: 'Options of ticket train',
    schema: z.object({ ...ownShape, ...kind.dataShape, ...kind.trainingShape }),
  },
];
type TrainOptions = z.output<typeof trainOptions>;

/** Trains a lottery ticket, or a control in its place, on any task of its towers. */
export const trainTicketRun: RunKind<TrainOptions, TicketTrainSummary> = {
  command: 'ticket train',
  takesModelFor: 'any',
  groups: ({ task }) => groupsOf(workloadNamed(task)),
  groupsFor: (options) => groupsOf(workloadIn(options)),
  complete: async (given, resume) => (resume ? given : withChoicesOfModel('ticket train', given, 'any')),
  nameOf: ({ data }) => `ticket-on-${shortName(String(data))}`,
  optionsOf: (values) => {
    const options = trainOptions.parse(values);
    adversaryOf(options); // refuses what does not fit together
    return options;
  },
  readSummary: (folder) => readTicketSummary(folder, trainSummary),
  isEnough: () => true,
  prepare,
};

async function prepare({
  plan,
  options,
  note,
  startEngine,
}: Beginning<TrainOptions>): Promise<PreparedRun<TicketTrainSummary>> {
  const { from, seed } = options;
  const kind = workloadIn(plan.options);
  const ticket = await readTicket(options.ticket);
  const engine = await startEngine();
  const origin = await originOn(kind, options, plan.options, { from, head: 'new', note });
  await announceData(origin.workload, note);
  const start = await startFrom(origin, { seed, head: 'new' });
  const dispose = () => {
    disposeTree(start.params);
  };
  try {
    const digests = await towerDigests(start.model, start.params);
    if (!options.otherWeights) checkStart(ticket, digests, from);
    return {
      engine,
      sourceWeights: Object.values(digests).join(' '),
      stepsPerEpoch: batchesOf(start.workload, options).stepsPerEpoch,
      skipped: start.workload.skipped,
      work: (runner, run) =>
        trainAndSave(runner, run, { task: kind.name, options, own: plan.options, ticket, start }),
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

interface TicketJob {
  readonly task: string;
  readonly options: TrainOptions;
  /** Options of every training on the task, others beside them. */
  readonly own: unknown;
  readonly ticket: Ticket;
  readonly start: Start;
}

async function trainAndSave(
  runner: Runner,
  run: RunFolder,
  { task, options, own, ticket, start }: TicketJob,
): Promise<TicketTrainSummary> {
  const { seed, control, otherWeights } = options;
  const { workload } = start;
  const kept = keptIn(ticket, prunableMatrices(start.model));
  const training = { ...options, optimization: options, training: own, seed };
  const trained = await controlled(start, kept, control, seed, (start, kept) =>
    trainTicket(runner, 'ticket', start, kept, training),
  );
  const { model, params, ledger, scores } = trained;
  const origin = toJson({ run: run.record.hash, ...workload.origin, ticket: ticket.found });
  await saveTrained(run.modelFolder, workload, { model, params, origin });
  disposeTree(params);
  const summary: TicketTrainSummary = {
    command: 'ticket train',
    metric: workload.taskOf(model).metric,
    data: workload.facts.name,
    task,
    ledger: [ledger],
    sparsity: ticket.sparsity,
    control: otherWeights ? `other weights, ${control}` : control,
    kept: keptShares(ticket),
    parameters: model.account.parameters,
    macs: model.account.macs,
    bytes: await weightBytes(run.modelFolder),
    scores,
  };
  await writeTicketSummary(run.folder, summary, trainSummary);
  return summary;
}
