import { type Point, convexHull, slope } from './curve';
import { closeGap } from './gap';

/** Points of a site, of which one is chosen; one of them at least. */
export type Choices = readonly Point[];

export interface Allocation {
  /** The chosen point of each site, by its index. */
  readonly chosen: readonly number[];
  readonly cost: number;
  readonly error: number;
  /** No allocation within the budget has less error than this: the Lagrangian bound. */
  readonly bound: number;
}

/**
 * One point for each site, so that Σ cost stays within the budget and Σ error is small: the corners of each site's convex hull
 * by one price of cost for all (Lagrange; Shoham & Gersho, 1988, Efficient Bit Allocation for an Arbitrary Set of Quantizers),
 * and what is left of the budget by dynamic programming over at most 1000 cells of cost. Exact where costs are whole numbers
 * and the sites' ranges together are no more cells than that.
 * @throws {RangeError} when even the cheapest points are above the budget.
 */
export function allocate(sites: readonly Choices[], budget: number): Allocation {
  const steps = walkOf(sites);
  const within = steps.findLast(({ cost }) => cost <= budget * (1 + ROUNDING));
  if (within === undefined) {
    const least = total(sites.map((points) => Math.min(...points.map(({ cost }) => cost))));
    throw new RangeError(`expected a budget of at least ${least}, got ${budget}`);
  }
  const above = steps[steps.indexOf(within) + 1];
  const chosen = closeGap(sites, within.chosen, budget);
  const best = sumOf(sites, chosen);
  const bound =
    above === undefined
      ? within.error
      : within.error - slope(above, within) * Math.max(0, budget - within.cost);
  return { chosen, ...best, bound: Math.min(bound, best.error) };
}

/** Sums of costs are rounded. */
const ROUNDING = 1e-9;

/** A corner of the front of all sites together. */
export interface Corner extends Point {
  readonly chosen: readonly number[];
}

/**
 * The corners of the Pareto front of all sites together, from the cheapest to the dearest: each is the best of all allocations
 * of its cost.
 */
export function walkOf(sites: readonly Choices[]): Corner[] {
  const hulls = sites.map((points) => convexHull(points).reverse());
  const moves = hulls
    .flatMap((hull, site) =>
      hull.slice(1).map((to, index) => {
        const [cheap, dear] = [pointAt(sites, site, hull[index] ?? -1), pointAt(sites, site, to)];
        return { site, to, gain: slope(dear, cheap) };
      }),
    )
    .sort((a, b) => b.gain - a.gain || a.site - b.site);
  let chosen = hulls.map((hull) => hull[0] ?? 0);
  const corners: Corner[] = [{ chosen, ...sumOf(sites, chosen) }];
  for (const { site, to } of moves) {
    chosen = chosen.with(site, to);
    corners.push({ chosen, ...sumOf(sites, chosen) });
  }
  return corners;
}

export const pointAt = (sites: readonly Choices[], site: number, index: number): Point => {
  const found = sites[site]?.[index];
  if (found === undefined) throw new RangeError(`site ${site} has no point ${index}`);
  return found;
};

export function sumOf(sites: readonly Choices[], chosen: readonly number[]): Point {
  const points = chosen.map((index, site) => pointAt(sites, site, index));
  return { cost: total(points.map(({ cost }) => cost)), error: total(points.map(({ error }) => error)) };
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
