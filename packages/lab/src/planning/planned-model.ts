import type { LedgerEntry, Scores } from '@winnow/core';
import type { ExpectedScore } from './expectation';
import type { PlannedUnit } from './plan-options';

/** A model of the front: the best numbers of units for a budget, by what one look at the examples says. */
export interface PlannedPoint {
  /** The share of the budget's unit that is asked for. */
  readonly keep: number;
  /** Units that stay, by site. */
  readonly units: Readonly<Record<string, number>>;
  readonly parameters: number;
  readonly macs: number;
  /** Predicted, in milliseconds for one example; null where nothing was timed, or the predictions are off. */
  readonly latencyMs: number | null;
  /** The error that is predicted: a loss in nats, to second order, or a sum of shares. */
  readonly error: number;
  /** In the task's metric; null beyond what was built. */
  readonly expected: ExpectedScore | null;
}

/** A model that was built: reconstructed, scored, and timed. */
export interface BuiltPoint extends Omit<PlannedPoint, 'expected'> {
  readonly scores: Scores;
  /** Measured, in milliseconds for one example. */
  readonly measuredMs: number | null;
  /** The dense model's, measured beside it. */
  readonly denseMs: number | null;
}

/** A plan of how a model can be made smaller. */
export interface PlannedModel {
  readonly model: string;
  readonly data: string;
  readonly split: string;
  /** The number of examples that the scores are of. */
  readonly examples: number;
  /** The number of examples that the errors are estimated from. */
  readonly calibration: number;
  readonly budgetUnit: PlannedUnit;
  /** The score that is expected. */
  readonly metric: string;
  readonly dense: {
    readonly parameters: number;
    readonly macs: number;
    readonly latencyMs: number | null;
    readonly scores: Scores;
  };
  readonly built: readonly BuiltPoint[];
  /** From the dense model on. */
  readonly front: readonly PlannedPoint[];
  /**
   * The largest share by which a predicted latency misses that of a built model, each as a share of the dense model's that was
   * timed beside it; null where nothing was timed.
   */
  readonly latencyOff: number | null;
  readonly ledger: readonly LedgerEntry[];
}

/** Predicted latencies count up to this share beside those of the built models. */
export const MOST_OFF = 0.1;
