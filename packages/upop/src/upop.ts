import {
  type Scalar,
  type Tensor,
  type Tensor1D,
  add,
  concat,
  div,
  mean,
  sqrt,
  square,
  sub,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {
  type AfterStep,
  type Compressed,
  type CompressionRun,
  type Site,
  decisionFromMasks,
  cloneTree,
  disposeTree,
  lendTree,
  pathWithin,
  mapTree,
  removalTarget,
  selectUnits,
  tidyTree,
  zipTrees,
  standardize,
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
import type { UPopOptions } from './options';
import { maskInterval, progress } from './schedule';

/** S_t: the accumulated gradients of the masks. */
type Accumulated = { gradients: Masked['masks'] };

/**
 * UPop, Algorithm 1. ζ is not optimised: its gradient is accumulated, and every `interval` steps the units of largest
 * signed sum — those whose shrinking lowers the loss — get ζ = 1 − p_t/p, all others ζ = 1. At the last step p_t = p,
 * so the pruned masks are exactly 0 and the cut changes nothing.
 */
export async function searchProgressively(run: CompressionRun, options: UPopOptions): Promise<Compressed> {
  const { sites } = run.model;
  const target = removalTarget(run.model, run.budget);
  const steps = run.stepsIn(options.search);
  const interval = maskInterval(options.interval, steps, target.amount / target.total);

  const updateMasks = ({ step, params, gradients, state }: AfterStep<Masked, Accumulated>) => {
    const latest =
      options.standardize === 'each-step' ? standardizeGradients(sites, gradients.masks) : gradients.masks;
    const accumulated = zipTrees([state.gradients, latest], ([total, gradient]) => add(total, gradient));
    const last = step === steps - 1;
    const due = last || (step > 0 && step % interval === 0);
    if (!due) return { params, state: { gradients: accumulated } };

    const share = progress(options.schedule, step, steps);
    const sums = readMasks(accumulated);
    // Gradients that were comparable at every step are so in sum: another standardising would weigh structures anew.
    const priorities = options.standardize === 'each-step' ? sums : standardize(sites, sums);
    const decision = selectUnits(sites, priorities, target, share);
    return {
      params: { ...params, masks: masksFor(sites, decision, 1 - share) },
      state: { gradients: accumulated },
    };
  };

  const masks = unmasked(sites);
  const start = { masks, nothing: mapTree(masks, (mask) => zerosLike(mask)) };
  const found = await lendTree(start, ({ masks, nothing }) =>
    run.train('search', {
      params: { weights: run.params, masks },
      state: { gradients: nothing },
      objective: maskedObjective(sites, options),
      afterStep: updateMasks,
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
  disposeTree([found.params, found.state]);
  return { params, decision };
}

/** Mean 0 and deviation 1 over all masks of a structure, on the device (Algorithm 1, line 8). */
function standardizeGradients(sites: readonly Site[], gradients: Masked['masks']): Masked['masks'] {
  const structureOf = new Map(sites.map((site) => [site.id, site.structure]));
  const statistics = new Map(
    [...new Set(structureOf.values())].map((structure) => {
      const group = Object.entries(gradients).filter(([id]) => structureOf.get(id) === structure);
      const all: Tensor1D = concat(group.map(([, gradient]) => gradient));
      const center: Scalar = mean(all);
      const deviation: Tensor = sqrt(mean(square(sub(all, center))));
      return [structure, { center, deviation }] as const;
    }),
  );
  return mapTree(gradients, (gradient, id) => {
    const structure = structureOf.get(id);
    const found = structure === undefined ? undefined : statistics.get(structure);
    if (found === undefined) throw new RangeError(`${id} is not a site of the model`);
    return div(sub(gradient, found.center), add(found.deviation, 1e-12));
  });
}
