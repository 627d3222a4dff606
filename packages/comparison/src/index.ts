export { comparisonConfig, trackNames } from './config';
export type { ComparisonConfig, TrackName } from './config';
export type { Contender, Control, Options } from './contender';
export { outcomesSchema } from './measurement';
export type { DenseMeasurement, Failure, Latency, Measurement, Outcomes } from './measurement';
export { jobOf, planComparison } from './plan';
export type { Catalogue, ComparisonPlan, DensePoint, Job, PlannedRun, Point } from './plan';
export {
  FEWEST_SEEDS,
  leastStandardError,
  meanOf,
  pairedDifference,
  spreadOf,
  studentQuantile,
  verdictOf,
} from './statistics';
export type { Evidence, PairedDifference, Spread } from './statistics';
export { denseRowsOf, tablesOf } from './table';
export type { Comparison, DenseRow, Row, Spreads, Table } from './table';
