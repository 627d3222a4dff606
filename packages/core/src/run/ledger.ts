import { z } from 'zod';
import type { Scores } from '../task/task';

/** Compute that a phase spent, measured by the runner. */
export interface LedgerEntry {
  readonly phase: string;
  /** Steps of training; an observation has none. */
  readonly steps: number;
  /** Examples seen, with repetition. */
  readonly examples: number;
  /**
   * Multiply–accumulates of forward and backward: three forward passes per example, and ten against an adversary of three steps.
   * An observation costs one.
   */
  readonly trainingMacs: number;
  readonly wallMs: number;
  /** The most memory that the process held during the phase, where the runner could measure it. */
  readonly peakMemoryBytes?: number;
}

/** Reads a line of the ledger from plain data. */
export const ledgerEntrySchema: z.ZodType<LedgerEntry> = z.object({
  phase: z.string(),
  steps: z.int(),
  examples: z.int(),
  trainingMacs: z.number(),
  wallMs: z.number(),
  peakMemoryBytes: z.number().exactOptional(),
});

/** Scores of a phase's parameters after some of its steps. */
export interface Milestone {
  /** Steps done. */
  readonly step: number;
  readonly scores: Scores;
}
