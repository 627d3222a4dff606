import { type KeptEntries, type TensorTree, disposeTree, prunableMatrices, tidyTree } from '@winnow/core';
import { type Disturbance, disturbed, likeMask, randomMask, removedCount } from '@winnow/lottery-ticket';
import type { Start } from '../model-source/start';

/** The things to train in a ticket's place, at its sparsity. */
export const controls = [
  'none',
  'random',
  'random-per-layer',
  'random-like-ticket',
  'shuffled',
  'layers-swapped',
] as const;
export type Control = (typeof controls)[number];

/** The mask of a control: RP, over everything, the same share of each layer, or as many of each matrix as the ticket. */
function maskOf(control: Control, { model }: Start, kept: KeptEntries, seed: number): KeptEntries {
  const matrices = prunableMatrices(model);
  switch (control) {
    case 'random':
      return randomMask({ matrices, scope: 'global' }, removedCount(kept), seed);
    case 'random-per-layer':
      return randomMask({ matrices, scope: 'per-layer' }, removedCount(kept), seed);
    case 'random-like-ticket':
      return likeMask(kept, seed);
    case 'none':
    case 'shuffled':
    case 'layers-swapped':
      return kept;
    default:
      return control satisfies never;
  }
}

/** Names the disturbance of the weights by a control: θ_0″ of the slides. */
function disturbanceOf(control: Control): Disturbance {
  switch (control) {
    case 'shuffled':
      return 'within-tensors';
    case 'layers-swapped':
      return 'whole-layers';
    case 'none':
    case 'random':
    case 'random-per-layer':
    case 'random-like-ticket':
      return 'none';
    default:
      return control satisfies never;
  }
}

/** Hands over the mask and the weights of a control, which are disposed afterwards. */
export async function controlled<Result>(
  start: Start,
  kept: KeptEntries,
  control: Control,
  seed: number,
  use: (start: Start, kept: KeptEntries) => Promise<Result>,
): Promise<Result> {
  const params = tidyTree((): TensorTree =>
    disturbed(start.model, start.params, disturbanceOf(control), seed),
  );
  try {
    return await use({ ...start, params }, maskOf(control, start, kept, seed));
  } finally {
    disposeTree(params);
  }
}
