import { disposeTree, prunableMatrices, toJson } from '@winnow/core';
import {
  adversaryOf,
  announceData,
  batchesOf,
  beginRun,
  checkStart,
  controlled,
  controls,
  dataOfModelShape,
  engineChoice,
  executionShape,
  inSession,
  optimizationShape,
  originOn,
  outShape,
  pathOption,
  planRun,
  readableOr,
  readTicket,
  readTicketSummary,
  saveTrained,
  shortName,
  startChosen,
  startFrom,
  taskShape,
  ticketTrainingShape,
  type TicketTrainSummary,
  towerDigests,
  trainSummary,
  trainTicket,
  version,
  weightBytes,
  withChoicesOfModel,
  workloadIn,
  type WorkloadKind,
  workloadNamed,
  writeTicketSummary,
} from '@winnow/lab';
import { keptIn, keptShares } from '@winnow/lottery-ticket';
import { z } from 'zod';
import { progressOn } from '../terminal/progress';
import { remarked } from '../terminal/report/remarks';
import { noteOn, print } from '../terminal/terminal';
import { trainReport } from '../terminal/report/ticket-report';
import type { Command, Invocation } from './command';

const ownShape = {
  ticket: pathOption('file').min(1).describe('The ticket, a file that ticket find wrote'),
  from: pathOption('model')
    .min(1)
    .describe('The model whose towers it starts from: run, model or checkpoint'),
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

export const ticketTrainCommand: Command = {
  name: 'ticket train',
  summary: 'Train a lottery ticket, or a control at its sparsity, on any task of its towers',
  startsRun: true,
  takesModelFor: 'any',
  groups: ({ task }) => groupsOf(workloadNamed(task)),
  run: async ({ given: asked, resume, terminal }: Invocation) => {
    const given = resume ? asked : await withChoicesOfModel('ticket train', asked, 'any');
    const plan = await planRun({
      command: 'ticket train',
      groupsFor: (options) => groupsOf(workloadIn(options)),
      given,
      resume,
      nameOf: ({ data }) => `ticket-on-${shortName(String(data))}`,
    });
    const kind = workloadIn(plan.options);
    const options = trainOptions.parse(plan.options);
    const finished = await readableOr(readTicketSummary(plan.folder, trainSummary), (text) => {
      print(terminal.stderr, text);
    });
    if (finished !== undefined) {
      print(terminal.stdout, remarked(trainReport(finished, plan.folder), plan.remarks));
      return;
    }
    for (const remark of plan.remarks) print(terminal.stderr, remark);
    adversaryOf(options); // refuses what does not fit together
    const ticket = await readTicket(options.ticket);
    const engine = await startChosen(engineChoice(plan.record, options), noteOn(terminal));
    const { from, seed, checkpointEvery } = options;
    const origin = await originOn(kind, options, plan.options, {
      from: options.from,
      head: 'new',
      note: noteOn(terminal),
    });
    announceData(origin.workload, noteOn(terminal));
    const start = await startFrom(origin, { seed: options.seed, head: 'new' });
    try {
      const digests = await towerDigests(start.model, start.params);
      if (!options.otherWeights) checkStart(ticket, digests, from);
      const kept = keptIn(ticket, prunableMatrices(start.model));
      const sourceWeights = Object.values(digests).join(' ');
      const run = await beginRun(plan, { engine, version: version(), sourceWeights });
      const { stepsPerEpoch } = batchesOf(start.workload, options);
      const session = {
        signal: terminal.signal,
        progress: progressOn(terminal),
        checkpointEvery,
        stepsPerEpoch,
      };
      const summary = await inSession(run, session, async (runner): Promise<TicketTrainSummary> => {
        const training = { ...options, optimization: options, training: plan.options, seed };
        const trained = await controlled(start, kept, options.control, seed, (start, kept) =>
          trainTicket(runner, 'ticket', start, kept, training),
        );
        const { workload } = start;
        const { model, params, ledger, scores } = trained;
        const origin = toJson({ run: run.record.hash, ...workload.origin, ticket: ticket.found });
        await saveTrained(run.modelFolder, workload, { model, params, origin });
        disposeTree(params);
        return {
          command: 'ticket train',
          metric: workload.taskOf(model).metric,
          data: workload.facts.name,
          task: kind.name,
          ledger: [ledger],
          sparsity: ticket.sparsity,
          control: options.otherWeights ? `other weights, ${options.control}` : options.control,
          kept: keptShares(ticket),
          parameters: model.account.parameters,
          macs: model.account.macs,
          bytes: await weightBytes(run.modelFolder),
          scores,
        };
      });
      await writeTicketSummary(run.folder, summary, trainSummary);
      print(terminal.stdout, trainReport(summary, plan.folder));
    } finally {
      disposeTree(start.params);
    }
  },
};
