import {
  type Compressed,
  type CompressionRun,
  cloneTree,
  disposeTree,
  randomStream,
  removalTarget,
  selectUnits,
  tidyTree,
} from '@winnow/core';
import { maskedWeights, masksFor } from './masks';

/** Random units at the same budget: the control that every search must beat. */
export function pruneAtRandom(run: CompressionRun): Compressed {
  const { sites } = run.model;
  const random = randomStream(run.seed, 'random-units');
  const priorities = Object.fromEntries(
    sites.map((site) => [site.id, Float64Array.from({ length: site.units }, () => random.uniform())]),
  );
  const decision = selectUnits(sites, priorities, removalTarget(run.model, run.budget));
  const masks = masksFor(sites, decision);
  const params = tidyTree(() => cloneTree(maskedWeights(sites)({ weights: run.params, masks })));
  disposeTree(masks);
  return { params, decision };
}
