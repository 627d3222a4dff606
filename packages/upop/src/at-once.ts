import {
  type Compressed,
  type CompressionRun,
  type Priorities,
  cloneTree,
  disposeTree,
  removalTarget,
  selectUnits,
  tidyTree,
} from '@winnow/core';
import { maskedWeights, masksFor } from './masks';

/** Removes the units of highest priority from the dense model as it is, without any training. */
export function pruneAtOnce(run: CompressionRun, priorities: Priorities): Compressed {
  const { sites } = run.model;
  const decision = selectUnits(sites, priorities, removalTarget(run.model, run.budget));
  const masks = masksFor(sites, decision);
  const params = tidyTree(() => cloneTree(maskedWeights(sites)({ weights: run.params, masks })));
  disposeTree(masks);
  return { params, decision };
}
