import type { Budget } from '../budget/budget';
import type { ConfiguredMethod } from '../method/method';
import type { ObservedSplits } from './observation';
import type { ReconstructionChoice } from './reconstruction';
import type { RetrainingJob } from './retrain';

/** Everything a compression needs; the dense parameters stay the caller's. */
export interface CompressionJob extends RetrainingJob {
  readonly method: ConfiguredMethod;
  readonly budget: Budget;
  readonly seed: number;
  /** Data that methods may look at without training on them. */
  readonly splits: ObservedSplits;
  /** Makes up for the units that are gone, before any retraining. */
  readonly reconstruct?: ReconstructionChoice;
}
