import {
  type Scalar,
  type Tensor1D,
  abs,
  add,
  concat,
  mul,
  ones,
  sum,
  tensor1d,
} from '@tensorflow/tfjs-core';
import {
  type Decision,
  type Model,
  type Objective,
  type Optimizer,
  type Site,
  type TensorTree,
  adamw,
  constant,
  decaysOf,
  effective,
  layerwiseDecay,
  maskOf,
  only,
} from '@winnow/core';
import type { SearchOptions } from './options';

/** Trainable weights with one real-valued mask ζ per site beside them. */
export type Masked = { weights: TensorTree; masks: Record<string, Tensor1D> };

/** ζ = 1 everywhere. The caller owns the masks. */
export function unmasked(sites: readonly Site[]): Masked['masks'] {
  return Object.fromEntries(sites.map((site): [string, Tensor1D] => [site.id, ones([site.units])]));
}

/** θ ⊙ ζ: the parameters of the forward pass. */
export const maskedWeights =
  (sites: readonly Site[]) =>
  ({ weights, masks }: Masked): TensorTree =>
    effective(weights, sites, masks);

/**
 * The objective of a search by masks: the task's loss at θ ⊙ ζ, and w_a Σ‖ζ_a‖₁ + w_m Σ‖ζ_m‖₁ (Eq. 3); without penalties
 * where both weights are 0.
 * @param seen The masks that the forward pass sees, where they are not those that are trained.
 */
export function maskedObjective<Params extends Masked>(
  sites: readonly Site[],
  { attentionPenalty, ffnPenalty }: Pick<SearchOptions, 'attentionPenalty' | 'ffnPenalty'>,
  seen: (params: Params) => Masked['masks'] = ({ masks }) => masks,
): (params: Params) => Objective<TensorTree> {
  const parametersOf = (params: Params): TensorTree =>
    maskedWeights(sites)({ weights: params.weights, masks: seen(params) });
  // w_m is for the units of feed-forward networks, w_a for those of every kind of attention.
  const weightOf = (structure: string) => (structure === 'ffn' ? ffnPenalty : attentionPenalty);
  const structures = new Set(sites.map(({ structure }) => structure));
  const penalized = [...structures].filter((structure) => weightOf(structure) > 0);
  if (penalized.length === 0) return (params) => ({ params: parametersOf(params) });
  const penaltyOf = (masks: Masked['masks']): Scalar =>
    penalized
      .map((structure): Scalar => {
        const group = sites.filter((site) => site.structure === structure);
        const all: Tensor1D = concat(group.flatMap(({ id }) => masks[id] ?? []));
        return mul(sum(abs(all)), weightOf(structure));
      })
      .reduce((total, one) => add(total, one));
  return (params) => ({ params: parametersOf(params), penalty: () => penaltyOf(params.masks) });
}

/** AdamW over the selected parts of the tree, at a learning rate that is constant after the warm-up, with the model's parameters under `weights`. */
export function searchOptimizer<Params extends TensorTree>(
  { specs }: Pick<Model, 'specs'>,
  {
    learningRate,
    warmup,
    weightDecay,
    layerDecay,
  }: Pick<SearchOptions, 'learningRate' | 'warmup' | 'weightDecay' | 'layerDecay'>,
  steps: number,
  trains: (path: string) => boolean,
): Optimizer<Params> {
  const decays = decaysOf(specs, 'weights.');
  const learningRateScale = layerwiseDecay(specs, layerDecay, 'weights.');
  const schedule = constant(learningRate, { warmupSteps: Math.round(warmup * steps) });
  return only(adamw({ schedule, weightDecay, decays, learningRateScale }), trains);
}

/** The decision as masks: `value` where units go, 1 where they stay. */
export function masksFor(sites: readonly Site[], decision: Decision, value = 0): Record<string, Tensor1D> {
  return Object.fromEntries(
    sites.map((site) => [site.id, tensor1d(maskOf(decision, site).map((kept) => (kept === 1 ? 1 : value)))]),
  );
}

/** Masks in host memory, by site. Synchronous: a search reads them inside a step. */
export function readMasks(masks: Readonly<Record<string, Tensor1D>>): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(masks).map(([id, mask]) => [id, Float32Array.from(mask.dataSync<'float32'>())]),
  );
}
