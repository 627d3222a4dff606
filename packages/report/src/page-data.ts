import type { DenseRow, Failure, Table } from '@winnow/comparison';
import type { BudgetUnit, Json, LedgerEntry } from '@winnow/core';

/** The costs of a contender's runs, phase by phase: means over the seeds. */
export interface LedgerRow {
  readonly workload: string;
  readonly track: Table['track'];
  readonly budget: string;
  readonly label: string;
  readonly seeds: number;
  readonly phases: readonly LedgerEntry[];
}

/**
 * The share of the dense model's units or weights that a contender kept at a place of the model: means over the seeds.
 */
export interface KeptCell {
  readonly component: string;
  readonly layer: number;
  readonly kept: number;
  /** Stored elsewhere in the model. */
  readonly borrowed: number;
}

export interface KeptMap {
  readonly workload: string;
  readonly track: Table['track'];
  readonly budget: string;
  readonly label: string;
  readonly seeds: number;
  readonly cells: readonly KeptCell[];
}

/** The findings of a method beside its decision, in one of its runs. */
export interface FoundFigures {
  readonly title: string;
  readonly findings: Json;
}

/** The subject of a page, and where it comes from. */
export interface Provenance {
  readonly title: string;
  /** One line of what it is. */
  readonly summary: string;
  /**
   * Remarks that a reader needs before the numbers: that the data have changed since, say. Sentences; none is the rule.
   */
  readonly remarks: readonly string[];
  /** The command that reproduces it. */
  readonly command: string;
  readonly config: string;
  readonly environment: readonly (readonly [name: string, value: string])[];
}

/** Everything that the page of a comparison shows. */
export interface PageData extends Provenance {
  /** Confidence level of the intervals, such as 0.95. */
  readonly confidence: number;
  /** Unit of the budgets. */
  readonly budgetUnit: BudgetUnit;
  readonly dense: readonly DenseRow[];
  readonly tables: readonly Table[];
  readonly failures: readonly Failure[];
  readonly ledger: readonly LedgerRow[];
  readonly kept: readonly KeptMap[];
  readonly figures: readonly FoundFigures[];
}
