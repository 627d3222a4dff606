import type { Priorities, Site } from '@winnow/core';

/** One number per unit, by site. */
export type Scores = Readonly<Record<string, Float32Array>>;

/**
 * Standardises scores to mean 0 and deviation 1 per structure, over all towers and layers together, so that attention
 * and FFN units can stand in one list (UPop, Eq. 8, 9). A group of equal scores becomes zeros.
 */
export function standardize(sites: readonly Site[], scores: Scores): Record<string, Float64Array> {
  const standardized: Record<string, Float64Array> = {};
  for (const structure of new Set(sites.map((site) => site.structure))) {
    const group = sites.filter((site) => site.structure === structure);
    const all = group.flatMap((site) => [...scoresAt(scores, site)]);
    const mean = all.reduce((sum, score) => sum + score, 0) / all.length;
    const variance = all.reduce((sum, score) => sum + (score - mean) ** 2, 0) / all.length;
    const deviation = variance > 0 ? Math.sqrt(variance) : 1;
    for (const site of group) {
      standardized[site.id] = Float64Array.from(
        scoresAt(scores, site),
        (score) => (score - mean) / deviation,
      );
    }
  }
  return standardized;
}

/**
 * Priorities that take the same share of every site: a unit's priority is its rank within its own site, as a share of
 * the site (Algorithm 2: p per site, ranked site by site). Greater scores go first.
 */
export function withinSites(sites: readonly Site[], scores: Scores): Priorities {
  return Object.fromEntries(
    sites.map((site) => {
      const values = scoresAt(scores, site);
      const order = Array.from(values.keys()).sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
      const priorities = new Float64Array(site.units);
      order.forEach((unit, rank) => {
        priorities[unit] = -(rank + 0.5) / site.units;
      });
      return [site.id, priorities];
    }),
  );
}

function scoresAt(scores: Scores, site: Site): Float32Array {
  const found = scores[site.id];
  if (found === undefined) throw new RangeError(`no scores for ${site.id}`);
  return found;
}
