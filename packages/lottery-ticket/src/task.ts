import { type Budget, type Model, UserError, sparsityTarget } from '@winnow/core';
import type { MagnitudeTicketOptions, MaskOptions } from './options';
import { mostKept, patternOf } from './pattern';
import type { Pruning } from './pruning';
import { roundTargets, wholeWeights } from './schedule';

/** The things to prune, how to prune them, and how many of their weights have to go. */
export interface PruningTask {
  readonly pruning: Pruning;
  readonly weights: number;
  readonly removed: number;
}

/** @throws {UserError} when the budget cannot be met by these matrices under this pattern. */
export function pruningTask(
  model: Model,
  budget: Budget,
  options: Omit<MaskOptions, 'weights'>,
): PruningTask {
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

/**
 * Counts the weights that are gone after each whole round, up to the first with which the budget is met: what comes after does
 * not depend on where a shorter search has stopped.
 * @throws {UserError} when the fraction of a round asks for too many of them.
 */
export function wholeRoundsOf(task: PruningTask, options: ScheduleOptions): number[] {
  const all = roundsOf({ ...task, removed: task.weights - 1 }, options);
  const last = all.findIndex((target) => target >= task.removed);
  return all.slice(0, last + 1);
}

type ScheduleOptions = Pick<MagnitudeTicketOptions, 'schedule' | 'originalFraction' | 'survivorFraction'>;

/**
 * Counts the weights that are gone after each round.
 * @throws {UserError} when the fraction of a round asks for too many of them.
 */
export function roundsOf({ weights, removed }: PruningTask, options: ScheduleOptions): number[] {
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
