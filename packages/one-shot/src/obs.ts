import { type SiteCurve, increments } from '@winnow/core';
import { curveRanker } from './ranker';

/** Units by what the least convex curve below the site's errors adds as they go; of equals by the order in which they went. */
export function importanceOnCurve({ removed, errors }: SiteCurve): Float64Array {
  const added = increments(errors);
  const most = Math.max(added.at(-1) ?? 0, Number.MIN_VALUE);
  const importance = new Float64Array(errors.length).fill(2 * most); // The unit that stays to the end.
  // Far below what tells two units of different errors apart.
  const tie = 1e-9 * most;
  removed.forEach((unit, gone) => {
    importance[unit] = (added[gone] ?? 0) + (tie * gone) / removed.length;
  });
  return importance;
}

/** ‖w_j‖² / [Σ⁻¹]_jj, one unit after the other, Σ⁻¹ and W without those that are gone; of all of a unit's columns at once. */
export const obs = curveRanker(
  {
    name: 'obs',
    title: 'Optimal brain surgeon',
    paper:
      'Hassibi & Stork, Second Order Derivatives for Network Pruning, NeurIPS 1992; of whole units: Kurtic et al., The Optimal BERT Surgeon, EMNLP 2022',
    summary: 'units whose part in what their layer gives the others can take over, one after the other',
    scope: 'global',
    scale: 'cost',
  },
  importanceOnCurve,
);
