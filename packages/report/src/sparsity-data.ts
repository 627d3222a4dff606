import type { LedgerEntry } from '@winnow/core';
import type { Provenance } from './page-data';

/** The result of a ticket, or of something in its place, at a sparsity: means over the seeds. */
export interface SparsityPoint {
  readonly sparsity: number;
  readonly mean: number;
  /** Sample standard deviation; null of a single seed. */
  readonly deviation: number | null;
  readonly seeds: number;
  /** Whether it is a relaxed winning ticket; by its deviation: only if one is added. */
  readonly verdict: 'wins' | 'by its deviation' | 'loses';
}

export interface SparsityCurve {
  readonly label: string;
  readonly isControl: boolean;
  /** By rising sparsity. */
  readonly points: readonly SparsityPoint[];
}

/** Scores on a task by the share of weights that is gone. */
export interface SparsityChart {
  readonly onto: string;
  readonly metric: string;
  /** Mean of the dense model with the same training. */
  readonly dense: number;
  /** The score of a relaxed winning ticket. */
  readonly bar: number;
  readonly curves: readonly SparsityCurve[];
}

/** Shares of rows by columns. */
export interface ShareMatrix {
  readonly title: string;
  /** Explanation of what a number says. */
  readonly note: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** null where there is none. */
  readonly shares: readonly (readonly (number | null)[])[];
  /** Shares that chance would give, in the same places. */
  readonly expected?: readonly (readonly (number | null)[])[];
}

/** Everything that a page about tickets shows. */
export interface SparsityPageData extends Provenance {
  readonly charts: readonly SparsityChart[];
  readonly matrices: readonly ShareMatrix[];
  /** The ledger of the run, phase by phase. */
  readonly ledger: readonly LedgerEntry[];
}
