import { type Tensor1D, ones, zeros } from '@tensorflow/tfjs-core';
import { type Site, type TensorTree, type UnitScores, disposeTree, lendTree } from '@winnow/core';
import type { RankedRun } from './ranker';

/** One number per unit, by site, on the device. */
export type UnitTensors = Record<string, Tensor1D>;

/** Sums that begin with nothing. The caller owns them. */
export const nothing = (sites: readonly Site[]): UnitTensors =>
  Object.fromEntries(sites.map(({ id, units }) => [id, zeros([units])]));

/** Importance in host memory; the tensors are disposed. */
export function readImportance(sums: UnitTensors): UnitScores {
  const found = Object.fromEntries(
    Object.entries(sums).map(([id, sum]) => [id, Float64Array.from(sum.dataSync<'float32'>())]),
  );
  disposeTree(sums);
  return found;
}

/** Something that is summed of the gradients of masks. */
export interface MaskSensitivity {
  /** Parameters of the forward pass, with masks of 1 that gradients reach. */
  masked(params: TensorTree, masks: UnitTensors): TensorTree;
  readonly perExample: boolean;
  /** The task's loss by default. */
  readonly loss?: 'task' | 'views';
  /** The sum of a site with another gradient, that of a loss over `size` examples. */
  add(sum: Tensor1D, gradient: Tensor1D, size: number): Tensor1D;
}

/** Sums of gradients of masks, one number per unit: one charged forward and backward pass over the examples. */
export async function sensitivitiesToMasks(
  run: RankedRun,
  examples: number,
  { masked, perExample, add, loss = 'task' }: MaskSensitivity,
): Promise<UnitScores> {
  const { sites } = run;
  const masks: UnitTensors = Object.fromEntries(sites.map(({ id, units }) => [id, ones([units])]));
  const seen = await lendTree({ masks, state: nothing(sites) }, ({ state }) =>
    run.sensitivities('gradients', {
      examples,
      params: masks,
      objective: (own) => ({ params: masked(run.params, own) }),
      perExample,
      loss,
      state,
      onGradients: ({ gradients, size }, sums) =>
        Object.fromEntries(
          Object.entries(sums).map(([id, sum]) => [id, add(sum, gradients[id] ?? sum, size)]),
        ),
    }),
  );
  return readImportance(seen);
}
