import {
  type Duration,
  type KeptEntries,
  type LedgerEntry,
  type Model,
  type Runner,
  type Scores,
  type TensorTree,
  disposeTree,
  lendRunning,
  lendTree,
  durationOption,
  masked,
  prunableMatrices,
  runningOf,
  scoredOnce,
  tidyTree,
  zeroed,
} from '@winnow/core';
import { masksOf } from '@winnow/lottery-ticket';
import { z } from 'zod';
import type { Optimization } from '../options/training';
import { batchesOf, scoreOn } from '../training/data';
import { trainOnTask } from '../training/on-task';
import type { Start } from '../model-source/start';

/** As long as a round of the search, and as the retraining of `compress`. */
export const ticketTrainingShape = {
  duration: durationOption.default('10ep').describe('Length of a training'),
  learningRate: z
    .number()
    .positive()
    .default(5e-4)
    .describe('Peak learning rate; it falls along a cosine after the warm-up'),
};

/** The training of tickets. */
export interface TicketTraining {
  readonly optimization: Optimization;
  readonly duration: Duration;
  readonly learningRate: number;
  /** Options of every training on the task, others beside them. */
  readonly training: unknown;
  readonly seed: number;
}

/** The result of training a ticket; the caller owns the parameters. */
export interface TrainedTicket {
  readonly model: Model;
  readonly params: TensorTree;
  readonly ledger: LedgerEntry;
  /** On the test split. */
  readonly scores: Scores;
}

/**
 * Trains a model under a mask as a phase of a run, and scores it; without a mask it is the dense model. The start's
 * parameters are only lent.
 */
export async function trainTicket(
  runner: Runner,
  phase: string,
  { workload, model: dense, params }: Start,
  kept: KeptEntries | undefined,
  { optimization, duration, learningRate, training, seed }: TicketTraining,
): Promise<TrainedTicket> {
  const masks = kept === undefined ? {} : masksOf(prunableMatrices(dense), kept);
  const model = kept === undefined ? dense : masked<TensorTree, unknown>(dense, masks);
  const task = workload.taskOf(runningOf(model).model, training);
  const batches = batchesOf(workload, { batchSize: optimization.batchSize, seed }, training);
  const start = tidyTree((): TensorTree => zeroed(params, masks));
  const trained = await lendTree(start, () =>
    trainOnTask(runner, start, { phase, model, task, batches, optimization, duration, learningRate }),
  );
  try {
    const score = scoreOn(workload.test, optimization.batchSize);
    const scores = await scoredOnce(runner, `scores-${phase}`, () =>
      lendRunning(model, trained.params, (_, params) => score(task, params)),
    );
    return { model, params: trained.params, ledger: trained.ledger, scores };
  } catch (error) {
    disposeTree(trained.params);
    throw error;
  }
}
