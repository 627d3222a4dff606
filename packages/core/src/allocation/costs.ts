import { type BudgetUnit, removalTarget } from '../budget/budget';
import { widthsOf } from '../budget/widths';
import { UserError } from '../error/user-error';
import type { Model } from '../families/model';
import type { Site } from '../sites/site';
import { type LatencyTable, siteMs } from './latency-table';

/** The costs of sites by their units. */
export interface SiteCosts {
  /** The cost of the whole model, in which sites are a part. */
  readonly total: number;
  costOf(site: Site, kept: number): number;
}

/** Costs that are counted, the same for each unit of a site. */
export function countedCosts(model: Pick<Model, 'sites' | 'account'>, unit: BudgetUnit): SiteCosts {
  const { total, costOf } = removalTarget(model, { unit, keep: 1 });
  return { total, costOf: (site, kept) => kept * costOf(site) };
}

/** Milliseconds, by a table of the model's own. */
export const timedCosts = (table: LatencyTable): SiteCosts => ({
  total: table.denseMs,
  costOf: (site, kept) => siteMs(table, site, kept),
});

/** Shares are sums of rounded numbers. */
const ROUNDING = 1e-9;

const sumOver = (sites: readonly Site[], costOf: (site: Site) => number): number =>
  sites.reduce((sum, site) => sum + costOf(site), 0);

/** The least share of the whole that can be left, with widths that are multiples of a number. */
export function leastShare(sites: readonly Site[], { total, costOf }: SiteCosts, multiple = 1): number {
  const removable = sumOver(
    sites,
    (site) => costOf(site, site.units) - costOf(site, widthsOf(site.units, multiple)[0] ?? 1),
  );
  return 1 - removable / total;
}

/**
 * All that the sites may cost where a share of the whole stays.
 * @throws {UserError} when the share is not in (0, 1], or cannot be reached.
 */
export function budgetOfSites(
  sites: readonly Site[],
  costs: SiteCosts,
  { keep, multiple = 1, what }: { readonly keep: number; readonly multiple?: number; readonly what: string },
): number {
  if (!(keep > 0 && keep <= 1)) {
    throw new UserError(`expected a budget that keeps more than 0 and at most 1 of the ${what}, got ${keep}`);
  }
  const least = leastShare(sites, costs, multiple);
  if (keep < least * (1 - ROUNDING)) {
    throw new UserError(
      `a budget of ${percent(keep)} of the ${what} cannot be reached: the least widths of all sites leave ${percent(least)}. Ask for at least that.`,
    );
  }
  return sumOver(sites, (site) => costs.costOf(site, site.units)) - (1 - keep) * costs.total;
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
