import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { type ScaledParameter, scaleUnits } from '../operations/scale-units';
import type { Coupling, Site } from '../sites/site';
import { type TensorTree, entriesOf, mapTree } from '../tree/tree';

/** One real-valued mask per site, [units]; 1 leaves the unit as it is, 0 removes it. */
export type Masks = Readonly<Record<string, Tensor1D>>;

/**
 * Masked parameters of the same shape: entries that run through unit j are multiplied by mask[j], in the couplings of
 * the given role. Masking producers scales q, k, v and the pre-activation (UPop, Eq. 1, 2); masking consumers scales
 * what is read from the unit. A tensor that no mask touches is passed on, not copied.
 */
export function effective<Params extends TensorTree>(
  params: Params,
  sites: readonly Site[],
  masks: Masks,
  role: Coupling['role'] = 'producer',
): Params {
  const scales = new Map<string, Pick<ScaledParameter, 'scale' | 'along'>>();
  for (const { id, couplings } of sites) {
    const scale = masks[id];
    if (scale === undefined) continue;
    for (const coupling of couplings.filter((coupling) => coupling.role === role)) {
      scales.set(coupling.parameter, { scale, along: coupling });
    }
  }
  const touched = entriesOf<Tensor>(params).flatMap(([path, parameter]) => {
    const found = scales.get(path);
    return found === undefined ? [] : [{ path, parameter, ...found }];
  });
  const scaled = scaleUnits(touched);
  const byPath = new Map(touched.map(({ path }, index) => [path, scaled[index]]));
  return mapTree(params, (leaf, path) => byPath.get(path) ?? leaf);
}
