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
  randomStream,
  smallestSparseKeep,
  sparsityTarget,
  tidyTree,
  zeroed,
} from '@winnow/core';
import { type FoundTicket, REWIND_PHASE, prunedIteratively, roundPhase } from './imp';
import { collapsed, masksOf } from './masks';
import {
  type MagnitudeTicketOptions,
  type MaskOptions,
  type OneShotOptions,
  magnitudeTicketOptions,
  oneShotOptions,
  randomTicketOptions,
} from './options';
import { mostKept, patternOf } from './pattern';
import { type Pruning, everything, prune } from './pruning';
import { roundTargets, wholeWeights } from './schedule';
import { disturbed } from './shuffle';

const manifest = (name: string, title: string, summary: string): Manifest => ({
  name,
  title,
  family: 'lottery-ticket',
  paper: 'Gan et al., Playing Lottery Tickets with Vision and Language, AAAI 2022',
  summary,
  granularity: 'weights',
});

/** What is pruned, how, and how many weights of it have to go. */
interface Task {
  readonly pruning: Pruning;
  readonly weights: number;
  readonly removed: number;
}

/** @throws {UserError} when the budget cannot be met by these matrices under this pattern. */
function taskOf(model: Model, budget: Budget, options: MaskOptions): Task {
  const target = sparsityTarget(model, budget);
  const matrices = target.matrices.filter(({ part }) => options.projections || part !== 'projection');
  const pattern = patternOf(options.pattern);
  const count = (keptOf: (shape: readonly [number, number]) => number) =>
    matrices.reduce((total, { shape }) => total + keptOf(shape), 0);
  const weights = count(([rows, columns]) => rows * columns);
  const removed = wholeWeights(target.amount);
  const share = (left: number) => `${((100 * (target.total - left)) / target.total).toFixed(2)} %`;
  if (removed >= weights) {
    throw new UserError(
      `the budget asks for ${removed} weights to go, but without projections there are only ${weights}: keep at least ` +
        `${share(weights - 1)} of the ${budget.unit}, or prune the projections too`,
    );
  }
  const least = pattern === undefined ? 0 : weights - count((shape) => mostKept(shape, pattern));
  if (removed > 0 && removed < least) {
    throw new UserError(
      `a pattern of ${options.pattern} takes at least ${least} weights away, the budget asks for ${removed}: keep at most ` +
        `${share(least)} of the ${budget.unit}`,
    );
  }
  return { pruning: { matrices, scope: options.scope, pattern }, weights, removed };
}

function targetsOf({ weights, removed }: Task, options: MagnitudeTicketOptions): number[] {
  const { schedule, originalFraction, survivorFraction } = options;
  try {
    return roundTargets(
      schedule,
      schedule === 'original-fraction' ? originalFraction : survivorFraction,
      weights,
      removed,
    );
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(error.message);
    throw error;
  }
}

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
  for (const parameter of collapsed(kept)) {
    run.note(`${parameter} has lost all its weights: what it carried does not reach the next layer any more`);
  }
  const masks = masksOf(matrices, kept);
  const start = tidyTree((): TensorTree => zeroed(disturbed(run.model, params, weights, run.seed), masks));
  return { params: start, decision: { version: 1, sites: {}, masks } };
}

async function findIteratively(run: CompressionRun, options: MagnitudeTicketOptions): Promise<Compressed> {
  const task = taskOf(run.model, run.budget, options);
  const found = await prunedIteratively(run, options, task.pruning, targetsOf(task, options));
  try {
    return compressedOf(run, task.pruning, found, options);
  } finally {
    disposeTree(found.params);
  }
}

async function findAtOnce(run: CompressionRun, options: OneShotOptions): Promise<Compressed> {
  const task = taskOf(run.model, run.budget, options);
  const found = await prunedIteratively(run, options, task.pruning, [task.removed]);
  try {
    return compressedOf(run, task.pruning, found, options);
  } finally {
    disposeTree(found.params);
  }
}

function drawRandomly(run: CompressionRun, options: MaskOptions): Compressed {
  const { pruning, removed } = taskOf(run.model, run.budget, options);
  const kept = randomMask(pruning, removed, run.seed);
  return compressedOf(run, pruning, { kept, params: run.params }, options);
}

/** A mask that takes random weights away, the same share of each group of the scope. */
export function randomMask(pruning: Pruning, removed: number, seed: number) {
  const scores = pruning.matrices.map(({ parameter, shape: [rows, columns] }): [string, Float64Array] => {
    const random = randomStream(seed, 'random mask', parameter);
    return [parameter, Float64Array.from({ length: rows * columns }, random.uniform)];
  });
  return prune(pruning, Object.fromEntries(scores), everything(pruning.matrices), removed);
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
      const targets = targetsOf(taskOf(model, budget, options), options);
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
      taskOf(model, budget, options);
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
      taskOf(model, budget, options);
      return { phases: [], smallestKeep: smallestSparseKeep(model, budget.unit) };
    },
    compress: (run, options) => Promise.resolve(drawRandomly(run, options)),
  }),
];
