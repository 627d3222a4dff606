import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type LedgerEntry,
  type Runner,
  UserError,
  disposeTree,
  phaseTrainer,
  prunableMatrices,
  scoredOnce,
  stepsIn,
} from '@winnow/core';
import {
  adversaryOf,
  adversaryShape,
  announceData,
  batchesOf,
  beginRun,
  budgetOf,
  dataOfModelShape,
  engineChoice,
  executionShape,
  type FindSummary,
  findSummary,
  givenFor,
  type GivenOptions,
  inSession,
  optimizationShape,
  originOn,
  outShape,
  pathOption,
  planRun,
  readableOr,
  readTicketSummary,
  type RunFolder,
  saveTrained,
  scoreOn,
  shortName,
  type Start,
  startChosen,
  startFrom,
  taskShape,
  towerDigests,
  version,
  withChoicesOfModel,
  workloadIn,
  type WorkloadKind,
  workloadNamed,
  writeTicket,
  writeTicketSummary,
} from '@winnow/lab';
import {
  type Round,
  collapseNotes,
  everything,
  keptShares,
  magnitudeTicketOptions,
  prunedIteratively,
  pruningTask,
  removedCount,
  ticketOf,
  wholeRoundsOf,
} from '@winnow/lottery-ticket';
import { z } from 'zod';
import { progressOn } from '../terminal/progress';
import { remarked } from '../terminal/report/remarks';
import { noteOn, print } from '../terminal/terminal';
import { findReport } from '../terminal/report/ticket-report';
import type { Command, Invocation } from './command';

const ownShape = {
  from: pathOption('model')
    .min(1)
    .describe('The model whose towers the tickets are of: run, model or checkpoint'),
  to: z
    .union([z.string(), z.number()])
    .default('90%')
    .describe('The highest sparsity; asked for again with a higher one, the run goes on'),
  ...taskShape,
  ...dataOfModelShape,
  batchSize: optimizationShape.batchSize,
  ...adversaryShape,
  ...executionShape,
  ...outShape,
};
const findOptions = z.object(ownShape);
type FindOptions = z.output<typeof findOptions>;

/** Controls are for `ticket transfer`: a search has none. */
const roundOptions = magnitudeTicketOptions.omit({ weights: true });
type RoundOptions = z.output<typeof roundOptions>;

const groupsOf = (kind: WorkloadKind) => [
  {
    title: 'Options of ticket find',
    schema: z.object({ ...ownShape, ...kind.dataShape, ...kind.trainingShape }),
  },
  {
    key: 'options',
    title: 'Options of the rounds',
    schema: roundOptions,
    prefix: { text: 'method-', when: 'taken' as const },
  },
];

export const ticketFindCommand: Command = {
  name: 'ticket find',
  summary: 'Find lottery tickets on a task by iterative magnitude pruning, one after every round',
  startsRun: true,
  takesModelFor: 'any',
  groups: ({ task }) => groupsOf(workloadNamed(task)),
  run: async ({ given: asked, resume, terminal }: Invocation) => {
    const given = resume ? asked : await withChoicesOfModel('ticket find', asked, 'any');
    const plan = await planRun({
      command: 'ticket find',
      groupsFor: (options) => groupsOf(workloadIn(options)),
      given,
      resume,
      changeable: ['to'],
      nameOf: ({ data }) => `tickets-${shortName(String(data))}`,
    });
    const groups = groupsOf(workloadIn(givenFor(plan.options, groupsOf(workloadNamed()))));
    const own = givenFor(plan.options, groups);
    const kind = workloadIn(own);
    const options = findOptions.parse(own);
    const rounds = roundOptions.parse(givenFor(plan.options, groups, 'options'));
    const to = sparsityIn(options.to);
    adversaryOf(options); // refuses what does not fit together
    const finished = await readableOr(readTicketSummary(plan.folder, findSummary), (text) => {
      print(terminal.stderr, text);
    });
    if (finished !== undefined && finished.to >= to) {
      print(terminal.stdout, remarked(findReport(finished, plan.folder), plan.remarks));
      return;
    }
    for (const remark of plan.remarks) print(terminal.stderr, remark);
    const engine = await startChosen(engineChoice(plan.record, options), noteOn(terminal));
    const origin = await originOn(kind, options, own, {
      from: options.from,
      head: 'new',
      note: noteOn(terminal),
    });
    announceData(origin.workload, noteOn(terminal));
    const start = await startFrom(origin, { seed: options.seed, head: 'new' });
    try {
      const digests = Object.values(await towerDigests(start.model, start.params));
      const search = { kind, options, own, rounds, to, start, targets: targetsOf(start, to, rounds) };
      const run = await beginRun(plan, { engine, version: version(), sourceWeights: digests.join(' ') });
      const { stepsPerEpoch } = batchesOf(start.workload, options);
      const { checkpointEvery } = options;
      const session = {
        signal: terminal.signal,
        progress: progressOn(terminal),
        checkpointEvery,
        stepsPerEpoch,
      };
      const summary = await inSession(run, session, (runner) => find(runner, run, search));
      print(terminal.stdout, findReport(summary, plan.folder));
    } finally {
      disposeTree(start.params);
    }
  },
};

/** @throws {UserError} for anything but a share above 0 and below 1. */
function sparsityIn(text: string | number): number {
  const { keep } = budgetOf(text, 'compressible-parameters');
  if (!(keep > 0 && keep < 1))
    throw new UserError(`to: expected a sparsity above 0 and below 100 %, got ${text}`);
  return keep;
}

interface Search {
  readonly kind: WorkloadKind;
  readonly options: FindOptions;
  readonly own: GivenOptions;
  readonly rounds: RoundOptions;
  readonly to: number;
  readonly start: Start;
  readonly targets: ReturnType<typeof targetsOf>;
}

function targetsOf({ model }: Start, to: number, rounds: RoundOptions) {
  const task = pruningTask(model, { unit: 'compressible-parameters', keep: 1 - to }, rounds);
  return { pruning: task.pruning, removed: wholeRoundsOf(task, rounds) };
}

/** Rounds, each pruned after its training, and a last one that only shows what the sparsest ticket comes to. */
async function find(runner: Runner, run: RunFolder, search: Search): Promise<FindSummary> {
  const { kind, options, own, rounds, to, start, targets } = search;
  const { workload, model } = start;
  const task = workload.taskOf(model, own);
  const batches = batchesOf(workload, options);
  const score = scoreOn(workload.test, options.batchSize);
  const matrices = prunableMatrices(model);
  const ledger: LedgerEntry[] = [];
  const tickets: FindSummary['tickets'] = [];
  await mkdir(join(run.folder, 'tickets'), { recursive: true });

  const note = async ({ number, before, after, trained, origin }: Round): Promise<void> => {
    for (const text of collapseNotes(after)) runner.report({ kind: 'note', text });
    const scores = await scoredOnce(runner, `scores-round-${number}`, () => score(task, trained));
    const ticket = ticketOf(
      matrices,
      { ...everything(matrices), ...before },
      {
        start: await towerDigests(model, origin),
        rewindSteps: stepsIn(rounds.rewind, batches.stepsPerEpoch),
        found: {
          task: kind.name,
          data: workload.facts.name,
          round: number - 1,
          seed: options.seed,
          run: run.record.hash,
        },
      },
    );
    const entry = { round: number - 1, sparsity: ticket.sparsity, kept: keptShares(ticket), scores };
    if (removedCount(before) === 0) {
      tickets.push(entry);
      if (stepsIn(rounds.rewind, batches.stepsPerEpoch) > 0)
        await saveTrained(join(run.folder, 'start'), workload, { model, params: origin });
      return;
    }
    const file = join('tickets', `${(100 * ticket.sparsity).toFixed(2)}.json`);
    await writeTicket(join(run.folder, file), ticket);
    tickets.push({ ...entry, file });
  };

  const trainer = {
    model,
    params: start.params,
    stepsIn: (duration: RoundOptions['round']) => stepsIn(duration, batches.stepsPerEpoch),
    train: phaseTrainer(runner, { task, batches, macs: model.account.macs, ...adversaryOf(options) }, ledger),
  };
  const last = targets.removed.at(-1) ?? 0;
  const found = await prunedIteratively(trainer, rounds, targets.pruning, [...targets.removed, last], note);
  disposeTree(found.params);
  const summary: FindSummary = {
    command: 'ticket find',
    metric: task.metric,
    data: workload.facts.name,
    task: kind.name,
    to,
    tickets,
    ledger,
  };
  await writeTicketSummary(run.folder, summary, findSummary);
  return summary;
}
