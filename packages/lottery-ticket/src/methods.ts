import {
  type Budget,
  type Compressed,
  type CompressionMethod,
  type CompressionRun,
  type Manifest,
  type Model,
  type Plan,
  type TensorTree,
  UserError,
  defineMethod,
  disposeTree,
  smallestSparseKeep,
  tidyTree,
  zeroed,
} from '@winnow/core';
import { type FoundTicket, REWIND_PHASE, prunedIteratively, roundPhase } from './imp';
import { collapseNotes, masksOf } from './masks';
import {
  type MagnitudeTicketOptions,
  type MaskOptions,
  type OneShotOptions,
  magnitudeTicketOptions,
  oneShotOptions,
  randomTicketOptions,
} from './options';
import type { Pruning } from './pruning';
import { randomMask } from './random';
import { disturbed } from './shuffle';
import { pruningTask, roundsOf } from './task';

const manifest = (name: string, title: string, summary: string): Manifest => ({
  name,
  title,
  family: 'lottery-ticket',
  paper: 'Gan et al., Playing Lottery Tickets with Vision and Language, AAAI 2022',
  summary,
  granularity: 'weights',
});

const isNothing = (duration: string): boolean => Number.parseFloat(duration) === 0;

function planRounds(
  model: Model,
  budget: Budget,
  { rewind, round }: Pick<OneShotOptions, 'rewind' | 'round'>,
  rounds: number,
): Plan {
  const phases = isNothing(round)
    ? []
    : Array.from({ length: rounds }, (_, index) => ({ name: roundPhase(index + 1), duration: round }));
  return {
    phases: [...(isNothing(rewind) ? [] : [{ name: REWIND_PHASE, duration: rewind }]), ...phases],
    smallestKeep: smallestSparseKeep(model, budget.unit),
  };
}

/** The ticket as the runner takes it: the weights to start from, zero where the mask says so. */
function compressedOf(
  run: CompressionRun,
  { matrices }: Pruning,
  { kept, params }: FoundTicket,
  { weights }: Pick<MaskOptions, 'weights'>,
): Compressed {
  for (const note of collapseNotes(kept)) run.note(note);
  const masks = masksOf(matrices, kept);
  const start = tidyTree((): TensorTree => zeroed(disturbed(run.model, params, weights, run.seed), masks));
  return { params: start, decision: { version: 1, sites: {}, masks } };
}

async function findIteratively(run: CompressionRun, options: MagnitudeTicketOptions): Promise<Compressed> {
  const task = pruningTask(run.model, run.budget, options);
  const found = await prunedIteratively(run, options, task.pruning, roundsOf(task, options));
  try {
    return compressedOf(run, task.pruning, found, options);
  } finally {
    disposeTree(found.params);
  }
}

async function findAtOnce(run: CompressionRun, options: OneShotOptions): Promise<Compressed> {
  const task = pruningTask(run.model, run.budget, options);
  const found = await prunedIteratively(run, options, task.pruning, [task.removed]);
  try {
    return compressedOf(run, task.pruning, found, options);
  } finally {
    disposeTree(found.params);
  }
}

function drawRandomly(run: CompressionRun, options: MaskOptions): Compressed {
  const { pruning, removed } = pruningTask(run.model, run.budget, options);
  const kept = randomMask(pruning, removed, run.seed);
  return compressedOf(run, pruning, { kept, params: run.params }, options);
}

/** Lottery tickets: iterative magnitude pruning, and what it is measured against. */
export const lotteryTicketMethods: readonly CompressionMethod[] = [
  defineMethod({
    manifest: manifest(
      'lottery-ticket',
      'Lottery ticket',
      'iterative magnitude pruning of single weights, with rewinding: a mask and the weights it started from',
    ),
    options: magnitudeTicketOptions,
    plan: (model, budget, options) => {
      if (isNothing(options.round)) {
        throw new UserError(
          `expected rounds of at least one iteration, got ${options.round}: without training they would all take the ` +
            'same weights; one-shot-magnitude does that at once',
        );
      }
      const targets = roundsOf(pruningTask(model, budget, options), options);
      return planRounds(model, budget, options, targets.length);
    },
    compress: findIteratively,
  }),
  defineMethod({
    manifest: manifest(
      'one-shot-magnitude',
      'One-shot magnitude ticket',
      'the smallest weights go at once, as they are or after one training',
    ),
    options: oneShotOptions,
    plan: (model, budget, options) => {
      pruningTask(model, budget, options);
      return planRounds(model, budget, options, 1);
    },
    compress: findAtOnce,
  }),
  defineMethod({
    manifest: manifest(
      'random-ticket',
      'Random ticket',
      'random weights go at the same sparsity: the control that a ticket must beat',
    ),
    options: randomTicketOptions,
    plan: (model, budget, options) => {
      pruningTask(model, budget, options);
      return { phases: [], smallestKeep: smallestSparseKeep(model, budget.unit) };
    },
    compress: (run, options) => Promise.resolve(drawRandomly(run, options)),
  }),
];
