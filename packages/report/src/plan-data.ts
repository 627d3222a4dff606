import type { Provenance } from './page-data';

/** A model of a front: what a budget leaves, and what it is expected to score. */
export interface FrontPoint {
  /** The share of the budget's unit that is kept. */
  readonly keep: number;
  readonly parameters: number;
  readonly macs: number;
  /** Predicted, for one example; null where it is not known. */
  readonly latencyMs: number | null;
  /** null where nothing was built that is as small. */
  readonly expected: { readonly score: number; readonly plusMinus: number } | null;
}

/** A model that was built and scored. */
export interface BuiltModel extends Omit<FrontPoint, 'expected'> {
  readonly score: number;
  readonly measuredMs: number | null;
  /** The dense model's, measured beside it. */
  readonly denseMs: number | null;
}

/** Everything that the page of a plan shows. */
export interface PlanPageData extends Provenance {
  readonly metric: string;
  /** The unit that budgets count. */
  readonly budgetUnit: string;
  /** Where the scores are from: `validation, 341 examples`. */
  readonly scoredOn: string;
  readonly dense: Omit<BuiltModel, 'keep' | 'measuredMs' | 'denseMs'>;
  readonly front: readonly FrontPoint[];
  readonly built: readonly BuiltModel[];
  /** The largest share by which a predicted latency misses a measured one, as shares of the dense model's; null where nothing was timed. */
  readonly latencyOff: number | null;
}
