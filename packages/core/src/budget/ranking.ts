import type { Site } from '../sites/site';
import type { Priorities } from './select';

/** One number per unit, by site. */
export type UnitScores = Readonly<Record<string, ArrayLike<number>>>;

/**
 * Standardises scores to mean 0 and deviation 1 per structure, over all towers and layers together, so that attention
 * and FFN units can stand in one list (UPop, Eq. 8, 9). A group of equal scores becomes zeros.
 */
export const standardize = (sites: readonly Site[], scores: UnitScores): Record<string, Float64Array> =>
  standardizeWithin(sites, scores, ({ structure }) => structure);

/** The same of every site by itself (FLAP). */
export const standardizeSites = (sites: readonly Site[], scores: UnitScores): Record<string, Float64Array> =>
  standardizeWithin(sites, scores, ({ id }) => id);

function standardizeWithin(
  sites: readonly Site[],
  scores: UnitScores,
  groupOf: (site: Site) => string,
): Record<string, Float64Array> {
  const standardized: Record<string, Float64Array> = {};
  for (const group of grouped(sites, groupOf)) {
    const all = group.flatMap((site) => Array.from(scoresAt(scores, site)));
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
 * the site (UPop, Algorithm 2: p per site, ranked site by site). Greater scores go first.
 */
export const withinSites = (sites: readonly Site[], scores: UnitScores): Priorities =>
  rankedWithin(sites, scores, ({ id }) => id);

/**
 * Priorities that take the same share of every structure: a unit's priority is its rank among all units of its kind, over
 * all layers and towers (Isomorphic Pruning, Fang et al., ECCV 2024). Greater scores go first.
 */
export const withinStructures = (sites: readonly Site[], scores: UnitScores): Priorities =>
  rankedWithin(sites, scores, ({ structure }) => structure);

function rankedWithin(
  sites: readonly Site[],
  scores: UnitScores,
  groupOf: (site: Site) => string,
): Priorities {
  const priorities = Object.fromEntries(sites.map(({ id, units }) => [id, new Float64Array(units)]));
  for (const group of grouped(sites, groupOf)) {
    const units = group.flatMap((site, order) =>
      Array.from(scoresAt(scores, site), (score, unit) => ({ id: site.id, order, unit, score })),
    );
    units.sort((a, b) => b.score - a.score || a.order - b.order || a.unit - b.unit);
    units.forEach(({ id, unit }, rank) => {
      const own = priorities[id];
      if (own !== undefined) own[unit] = -(rank + 0.5) / units.length;
    });
  }
  return priorities;
}

function grouped(sites: readonly Site[], groupOf: (site: Site) => string): Site[][] {
  const groups = new Map<string, Site[]>();
  for (const site of sites) groups.set(groupOf(site), [...(groups.get(groupOf(site)) ?? []), site]);
  return [...groups.values()];
}

/** @throws {RangeError} when a site has no scores, or not one for each unit. */
function scoresAt(scores: UnitScores, { id, units }: Site): ArrayLike<number> {
  const found = scores[id];
  if (found?.length !== units) {
    throw new RangeError(`expected ${units} scores for ${id}, got ${found?.length ?? 'none'}`);
  }
  return found;
}
