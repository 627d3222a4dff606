import type { Tensor } from '@tensorflow/tfjs-core';
import {
  type KeptEntries,
  type ParameterMasks,
  type PrunableMatrix,
  type TensorTree,
  entriesOf,
  maskFrom,
} from '@winnow/core';

/** Kept entries as masks of a decision. */
export function masksOf(matrices: readonly PrunableMatrix[], kept: KeptEntries): ParameterMasks {
  return Object.fromEntries(
    matrices.map(({ parameter, shape }) => [parameter, maskFrom(kept[parameter] ?? [], shape)]),
  );
}

/** |w| of every prunable weight, by parameter. */
export async function magnitudesOf(
  matrices: readonly PrunableMatrix[],
  params: TensorTree,
): Promise<Record<string, Float32Array>> {
  const leaves = new Map(entriesOf<Tensor>(params));
  const magnitudes = matrices.map(async ({ parameter }): Promise<[string, Float32Array]> => {
    const leaf = leaves.get(parameter);
    if (leaf === undefined) throw new RangeError(`the model has no parameter ${parameter}`);
    return [parameter, Float32Array.from(await leaf.data<'float32'>(), Math.abs)];
  });
  return Object.fromEntries(await Promise.all(magnitudes));
}

/** Warns of matrices of which nothing is left: there a layer or a tower has collapsed. */
export const collapseNotes = (kept: KeptEntries): string[] =>
  Object.entries(kept).flatMap(([parameter, entries]) =>
    entries.includes(1)
      ? []
      : [`${parameter} has lost all its weights: what it carried does not reach the next layer any more`],
  );
