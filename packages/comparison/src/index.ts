export { comparisonConfig, trackNames } from './config';
export type { ComparisonConfig, LatencyConfig, TrackName } from './config';
export type { Contender, Control, Options } from './contender';
export { outcomesSchema } from './measurement';
export type { DenseMeasurement, Failure, Latency, Measurement, Outcomes } from './measurement';
export { frontOf } from './front';
export { jobOf, planComparison } from './plan';
export type { Catalogue, ComparisonPlan, DensePoint, Job, PlannedRun, Point } from './plan';
export { largestBatch, recommendationsOf, timesFaster, timesSmaller } from './recommendation';
export type { Other, Recommendation } from './recommendation';
export { outcomeWords, wordsOf } from './recommendation-words';
export type { RecommendationWords } from './recommendation-words';
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
