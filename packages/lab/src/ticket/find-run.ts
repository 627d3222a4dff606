import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type LedgerEntry,
  type Runner,
  disposeTree,
  phaseTrainer,
  prunableMatrices,
  scoredOnce,
  stepsIn,
} from '@winnow/core';
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
import { withChoicesOfModel } from '../model-source/choices';
import { saveTrained } from '../model-source/save-trained';
import { type Start, originOn, startFrom, towerDigests } from '../model-source/start';
import { sparsityOf } from '../options/budget';
import { type GivenOptions, givenFor } from '../options/group';
import { pathOption } from '../options/path';
import {
  adversaryOf,
  adversaryShape,
  dataOfModelShape,
  executionShape,
  optimizationShape,
  outShape,
} from '../options/training';
import type { Beginning, PreparedRun, RunKind } from '../run/run-kind';
import { shortName } from '../run-folder/plan-run';
import type { RunFolder } from '../run-folder/run-folder';
import { batchesOf, scoreOn } from '../training/data';
import { announceData } from '../workload/announce';
import { taskShape, workloadIn, workloadNamed } from '../workload/choice';
import type { WorkloadKind } from '../workload/workload';
import { type FindSummary, findSummary, readTicketSummary, writeTicketSummary } from './summary';
import { writeTicket } from './ticket-file';

const ownShape = {
  from: pathOption('model')
    .min(1)
    .describe('The model whose towers the tickets are of: run, model, checkpoint or hf:owner/name'),
  to: z
    .union([z.string(), z.number()])
    .default('90%')
    .describe('The highest sparsity, 90% or 0.9; asked for again with a higher one, the run goes on'),
  ...taskShape,
  ...dataOfModelShape,
  batchSize: optimizationShape.batchSize,
  ...adversaryShape,
  ...executionShape,
  ...outShape,
};
const findOptions = z.object(ownShape);
type OwnOptions = z.output<typeof findOptions>;

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

type FindOptions = OwnOptions & {
  readonly rounds: RoundOptions;
  /** The highest sparsity, as a share. */
  readonly sparsity: number;
};

/** Finds lottery tickets on a task, one after every round. */
export const findTicketsRun: RunKind<FindOptions, FindSummary> = {
  command: 'ticket find',
  takesModelFor: 'any',
  groups: ({ task }) => groupsOf(workloadNamed(task)),
  groupsFor: (options) => groupsOf(workloadIn(options)),
  complete: async (given, resume) => (resume ? given : withChoicesOfModel('ticket find', given, 'any')),
  changeable: ['to'],
  nameOf: ({ data }) => `tickets-${shortName(String(data))}`,
  optionsOf: (values) => {
    const groups = groupsOf(workloadIn(values));
    const options = findOptions.parse(givenFor(values, groups));
    const rounds = roundOptions.parse(givenFor(values, groups, 'options'));
    const sparsity = sparsityOf(options.to);
    adversaryOf(options); // refuses what does not fit together
    return { ...options, rounds, sparsity };
  },
  readSummary: (folder) => readTicketSummary(folder, findSummary),
  isEnough: ({ to }, { sparsity }) => to >= sparsity,
  prepare,
};

async function prepare({
  plan,
  options,
  note,
  startEngine,
}: Beginning<FindOptions>): Promise<PreparedRun<FindSummary>> {
  const kind = workloadIn(plan.options);
  const own = givenFor(plan.options, groupsOf(kind));
  const engine = await startEngine();
  const origin = await originOn(kind, options, own, { from: options.from, head: 'new', note });
  await announceData(origin.workload, note);
  const start = await startFrom(origin, { seed: options.seed, head: 'new' });
  const dispose = () => {
    disposeTree(start.params);
  };
  try {
    const digests = Object.values(await towerDigests(start.model, start.params));
    const search = { kind, options, own, start, targets: targetsOf(start, options) };
    return {
      engine,
      sourceWeights: digests.join(' '),
      stepsPerEpoch: batchesOf(start.workload, options).stepsPerEpoch,
      skipped: start.workload.skipped,
      work: (runner, run) => find(runner, run, search),
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

interface Search {
  readonly kind: WorkloadKind;
  readonly options: FindOptions;
  readonly own: GivenOptions;
  readonly start: Start;
  readonly targets: ReturnType<typeof targetsOf>;
}

function targetsOf({ model }: Start, { sparsity, rounds }: Pick<FindOptions, 'sparsity' | 'rounds'>) {
  const task = pruningTask(model, { unit: 'compressible-parameters', keep: 1 - sparsity }, rounds);
  return { pruning: task.pruning, removed: wholeRoundsOf(task, rounds) };
}

/** Rounds, each pruned after its training, and a last one that only shows what the sparsest ticket comes to. */
async function find(runner: Runner, run: RunFolder, search: Search): Promise<FindSummary> {
  const { kind, options, own, start, targets } = search;
  const { rounds, sparsity: to } = options;
  const { workload, model } = start;
  const task = workload.taskOf(model, own);
  const batches = batchesOf(workload, options, own);
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
