import { type Tensor, type Tensor1D, mul, ones, reshape } from '@tensorflow/tfjs-core';
import type { Coupling, Site } from '../sites/site';
import { type TensorTree, mapTree } from '../tree/tree';

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
  const scales = new Map<string, { axis: 0 | 1; scale: Tensor }>();
  for (const { id, couplings } of sites) {
    const mask = masks[id];
    if (mask === undefined) continue;
    const tiled = new Map<number, Tensor>();
    for (const coupling of couplings.filter((coupling) => coupling.role === role)) {
      const { parameter, axis, copies } = coupling;
      const scale = tiled.get(copies) ?? (copies === 1 ? mask : repeat(mask, copies));
      tiled.set(copies, scale);
      scales.set(parameter, { axis, scale });
    }
  }
  return mapTree(params, (leaf, path) => {
    const found = scales.get(path);
    if (found === undefined) return leaf;
    const alongRows = found.axis === 0 && leaf.rank === 2;
    return mul(leaf, alongRows ? reshape(found.scale, [-1, 1]) : found.scale);
  });
}

/** [units] → [copies · units], by broadcasting: its gradient is one sum, where that of `tile` is a slice per copy. */
function repeat(mask: Tensor1D, copies: number): Tensor {
  return reshape(mul(ones([copies, 1]), reshape(mask, [1, -1])), [-1]);
}
