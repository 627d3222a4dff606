import { type Tensor, zerosLike } from '@tensorflow/tfjs-core';
import {
  type AfterStep,
  type Compressed,
  type CompressionRun,
  decisionFromMasks,
  differentiable,
  cloneTree,
  disposeTree,
  lendTree,
  pathWithin,
  removalTarget,
  selectUnits,
  tidyTree,
  zipTrees,
} from '@winnow/core';
import {
  type Masked,
  maskedObjective,
  maskedWeights,
  masksFor,
  readMasks,
  searchOptimizer,
  unmasked,
} from './masks';
import type { StraightThroughOptions } from './options';
import { roundShare } from './rounds';
import { type Selection, maskPriorities } from './trained-masks';

/** ζ is trained; the forward pass sees its binary shadow. */
type Shadowed = Masked & { binary: Masked['masks'] };

/** The binary mask forward, the identity to ζ backward (Bengio et al., 2013). */
function straightThrough(mask: Tensor, binary: Tensor): Tensor {
  return differentiable(
    [mask, binary],
    () => ({ value: binary.clone(), saved: [] }),
    (dy) => [dy.clone(), zerosLike(binary)],
  );
}

/**
 * Mask-based or unified pruning with iterative binarisation (Table 6, "w/ Iterative Pruning with STE"): in every round
 * the units of smallest |ζ| are switched off, up to the round's share of the budget. Units may come back.
 */
export async function searchStraightThrough(
  run: CompressionRun,
  options: StraightThroughOptions,
  selection: Selection,
): Promise<Compressed> {
  const { sites } = run.model;
  const target = removalTarget(run.model, run.budget);
  const steps = run.stepsIn(options.search);
  const shadowed = ({ masks, binary }: Shadowed) =>
    zipTrees([masks, binary], ([mask, shadow]) => straightThrough(mask, shadow));

  const start = { masks: unmasked(sites), binary: unmasked(sites) };
  const found = await lendTree(start, (masks) =>
    run.train<Shadowed, Record<string, never>>('search', {
      params: { weights: run.params, ...masks },
      state: {},
      objective: maskedObjective(sites, options, shadowed),
      afterStep: ({ step, params, state }: AfterStep<Shadowed, Record<string, never>>) => {
        const share = roundShare(step, steps, options.rounds);
        if (share === undefined) return { params, state };
        const priorities = maskPriorities(sites, readMasks(params.masks), selection);
        return {
          params: { ...params, binary: masksFor(sites, selectUnits(sites, priorities, target, share)) },
          state,
        };
      },
      optimizer: searchOptimizer<Shadowed>(
        run.model,
        options,
        steps,
        (path) => pathWithin('binary', path) === undefined,
      ),
      steps,
    }),
  );
  const { weights, binary } = found.params;
  const decision = decisionFromMasks(sites, readMasks(binary));
  const params = tidyTree(() => cloneTree(maskedWeights(sites)({ weights, masks: binary })));
  disposeTree(found.params);
  return { params, decision };
}
