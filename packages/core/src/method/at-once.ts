import { tensor1d } from '@tensorflow/tfjs-core';
import { removalTarget } from '../budget/budget';
import { type Priorities, selectUnits } from '../budget/select';
import { type Decision, decidedSites, maskOf } from '../decision/decision';
import { effective } from '../effective/effective';
import type { CompressionRun } from '../run/compression-run';
import type { Site } from '../sites/site';
import { cloneTree, tidyTree } from '../tree/tree';
import type { Compressed } from './method';

/**
 * Removes the units of highest priority from the dense model as it is, without any training: the end of every one-shot
 * ranker. The caller owns the parameters.
 * @param sites The sites of which units go: the model's, or whole heads or blocks (`sitesOf`).
 * @throws {RangeError} when priorities are missing for a site or are not numbers.
 */
export const pruneAtOnce = (
  run: Pick<CompressionRun, 'model' | 'params' | 'budget'>,
  priorities: Priorities,
  sites: readonly Site[] = run.model.sites,
): Compressed => pruneTo(run, selectUnits(sites, priorities, removalTarget(run.model, run.budget, sites)));

/** Removes the units that a decision drops from the dense model as it is. The caller owns the parameters. */
export function pruneTo(
  { model, params }: Pick<CompressionRun, 'model' | 'params'>,
  decision: Decision,
): Compressed {
  const sites = decidedSites(model, decision);
  return tidyTree(() => {
    const masks = Object.fromEntries(sites.map((site) => [site.id, tensor1d(maskOf(decision, site))]));
    return { params: cloneTree(effective(params, sites, masks)), whole: cloneTree(params), decision };
  });
}
