import type { Scores } from '../task/task';

/** Compute that a phase spent, measured by the runner. */
export interface LedgerEntry {
  readonly phase: string;
  readonly steps: number;
  /** Examples seen, with repetition. */
  readonly examples: number;
  /** Multiply–accumulates of forward and backward: three forward passes per example. */
  readonly trainingMacs: number;
  readonly wallMs: number;
}

/** Scores of a phase's parameters after some of its steps. */
export interface Milestone {
  /** Steps done. */
  readonly step: number;
  readonly scores: Scores;
}
