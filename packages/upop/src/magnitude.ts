import { sqrt, square, tidy } from '@tensorflow/tfjs-core';
import {
  type AfterStep,
  type Compressed,
  type CompressionRun,
  type Site,
  type TensorTree,
  cloneTree,
  decisionFromMasks,
  disposeTree,
  lendTree,
  mapTree,
  pathWithin,
  pruneAtOnce,
  removalTarget,
  selectUnits,
  sitesOf,
  standardize,
  tidyTree,
  unitSums,
} from '@winnow/core';
import { type Masked, maskedWeights, masksFor, readMasks, searchOptimizer, unmasked } from './masks';
import type { MagnitudeOptions } from './options';
import { roundShare } from './rounds';

/**
 * Magnitude pruning at UPop's own units: those whose weights have the smallest L2 norm go. Norms are standardised per
 * structure to stand in one ranking. Without a search they go at once; with one, iteratively (Table 6, first row): in
 * every round some go for good, and the rest trains on. Heads may stand in the place of their dimensions.
 */
export async function pruneByMagnitude(run: CompressionRun, options: MagnitudeOptions): Promise<Compressed> {
  const sites = sitesOf(run.model, options.units);
  const target = removalTarget(run.model, run.budget, sites);
  const steps = run.stepsIn(options.search);
  if (steps === 0) return pruneAtOnce(run, standardize(sites, smallnessOf(sites, run.params)), sites);
  const found = await lendTree(unmasked(sites), (masks) =>
    run.train('search', {
      params: { weights: run.params, masks },
      state: {},
      objective: (params) => ({ params: maskedWeights(sites)(params) }),
      afterStep: ({ step, params, state }: AfterStep<Masked, Record<string, never>>) => {
        const share = roundShare(step, steps, options.rounds);
        if (share === undefined) return { params, state };
        const smallness = standardize(sites, smallnessOf(sites, params.weights));
        const removed = readMasks(params.masks);
        const priorities = Object.fromEntries(
          Object.entries(smallness).map(([id, values]) => [
            id,
            values.map((value, unit) => (removed[id]?.[unit] === 0 ? Infinity : value)),
          ]),
        );
        return {
          params: { ...params, masks: masksFor(sites, selectUnits(sites, priorities, target, share)) },
          state,
        };
      },
      optimizer: searchOptimizer<Masked>(
        run.model,
        options,
        steps,
        (path) => pathWithin('weights', path) !== undefined,
      ),
      steps,
    }),
  );
  const decision = decisionFromMasks(sites, readMasks(found.params.masks));
  const params = tidyTree(() => cloneTree(maskedWeights(sites)(found.params)));
  disposeTree(found.params);
  return { params, decision };
}

/** −‖weights of the unit‖₂, by site: everything the unit owns, what makes it and what reads it. */
export function smallnessOf(sites: readonly Site[], weights: TensorTree): Record<string, Float32Array> {
  const squares = tidyTree(() => mapTree(weights, (leaf) => square(leaf)));
  const smallness = Object.fromEntries(
    sites.map((site) => {
      const norms = tidy(() => sqrt(unitSums(site, squares)));
      const values = Float32Array.from(norms.dataSync<'float32'>(), (value) => -value);
      norms.dispose();
      return [site.id, values];
    }),
  );
  disposeTree(squares);
  return smallness;
}
