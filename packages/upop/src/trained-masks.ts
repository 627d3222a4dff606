import { type Tensor1D, mul, tensor1d } from '@tensorflow/tfjs-core';
import {
  type Compressed,
  type CompressionRun,
  type Priorities,
  type Site,
  cloneTree,
  disposeTree,
  lendTree,
  maskOf,
  removalTarget,
  selectUnits,
  tidyTree,
  zipTrees,
  type UnitScores,
  standardize,
  withinSites,
} from '@winnow/core';
import { type Masked, maskedObjective, maskedWeights, readMasks, searchOptimizer, unmasked } from './masks';
import type { SearchOptions } from './options';

/** Which units go: the same share of every site (Algorithm 2), or a standardised ranking over everything (3). */
export type Selection = 'within-sites' | 'unified';

/** Priorities from trained masks: the smallest |ζ| goes first. */
export function maskPriorities(sites: readonly Site[], masks: UnitScores, selection: Selection): Priorities {
  const smallness = Object.fromEntries(
    Object.entries(masks).map(([id, mask]) => [id, Array.from(mask, (value) => -Math.abs(value))]),
  );
  return selection === 'unified' ? standardize(sites, smallness) : withinSites(sites, smallness);
}

/**
 * Mask-based and unified pruning, Algorithms 2 and 3: θ and ζ are trained together with the ℓ₁ terms; at the end the
 * units of smallest |ζ| go, all at once. The ζ of the units that stay is folded into the weights.
 */
export async function searchByTrainedMasks(
  run: CompressionRun,
  options: SearchOptions,
  selection: Selection,
): Promise<Compressed> {
  const { sites } = run.model;
  const steps = run.stepsIn(options.search);
  const found = await lendTree(unmasked(sites), (masks) =>
    run.train('search', {
      params: { weights: run.params, masks },
      state: {},
      objective: maskedObjective(sites, options),
      optimizer: searchOptimizer<Masked>(run.model, options, steps, () => true),
      steps,
    }),
  );
  const priorities = maskPriorities(sites, readMasks(found.params.masks), selection);
  const decision = selectUnits(sites, priorities, removalTarget(run.model, run.budget));
  const trees = tidyTree(() => {
    const binary = Object.fromEntries(
      sites.map((site): [string, Tensor1D] => [site.id, tensor1d(maskOf(decision, site))]),
    );
    const masks = zipTrees([found.params.masks, binary], ([mask, kept]) => mul(mask, kept));
    const { weights } = found.params;
    return {
      params: cloneTree(maskedWeights(sites)({ weights, masks })),
      whole: cloneTree(maskedWeights(sites)(found.params)),
    };
  });
  disposeTree(found.params);
  return { ...trees, decision };
}
