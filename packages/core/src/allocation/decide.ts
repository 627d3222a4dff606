import type { UnitScores } from '../budget/ranking';
import type { Decision, SiteDecision } from '../decision/decision';
import type { Site } from '../sites/site';
import { widthsOf } from '../budget/widths';
import { type Choices, allocate } from './allocate';
import type { ErrorCurve } from './curve';

/** Units of each site that stay, and what their number costs: Σ error within the budget. */
export interface Counts {
  readonly kept: Readonly<Record<string, number>>;
  readonly error: number;
  /** No counts within the budget have less error. */
  readonly bound: number;
}

/** The numbers of units that may stay, and what they cost; widths are multiples of `multiple`, or whole. */
export interface AllocationOptions {
  /** By site, of units that are gone. */
  readonly curves: ReadonlyMap<string, ErrorCurve>;
  readonly multiple: number;
  /** The cost of a site with so many units left. */
  costOf(site: Site, kept: number): number;
  /** All that the sites may cost. */
  readonly budget: number;
}

/**
 * The numbers of units that lose least within a budget.
 * @throws {RangeError} when a site has no curve, or even the fewest units are above the budget.
 */
export function allocateUnits(
  sites: readonly Site[],
  { curves, multiple, costOf, budget }: AllocationOptions,
): Counts {
  const widths = sites.map(({ units }) => widthsOf(units, multiple));
  const choices = sites.map((site, index): Choices => {
    const errors = curves.get(site.id);
    if (errors?.length !== site.units) {
      throw new RangeError(`expected ${site.units} errors for ${site.id}, got ${errors?.length ?? 'none'}`);
    }
    return (widths[index] ?? []).map((kept) => ({
      cost: costOf(site, kept),
      error: errors[site.units - kept] ?? Number.NaN,
    }));
  });
  const { chosen, error, bound } = allocate(choices, budget);
  const kept = sites.map(({ id }, index): [string, number] => [
    id,
    widths[index]?.[chosen[index] ?? -1] ?? Number.NaN,
  ]);
  return { kept: Object.fromEntries(kept), error, bound };
}

/** The decision that keeps so many units of each site, those of most importance; of equals those that come first. */
export function keepMostImportant(
  sites: readonly Site[],
  importance: UnitScores,
  counts: Counts['kept'],
): Decision {
  const decided = sites.map(({ id, units }): [string, SiteDecision] => {
    const scores = importance[id];
    if (scores?.length !== units) {
      throw new RangeError(`expected ${units} scores for ${id}, got ${scores?.length ?? 'none'}`);
    }
    const ranked = Array.from(scores, (score, unit) => ({ score, unit })).sort(
      (a, b) => b.score - a.score || a.unit - b.unit,
    );
    const kept = ranked.slice(0, counts[id] ?? units).map(({ unit }) => unit);
    return [id, { kind: 'keep', kept: kept.sort((a, b) => a - b), units }];
  });
  return { version: 1, sites: Object.fromEntries(decided) };
}

/** The decision that keeps so many units of each site, those that go last. */
export function keepLast(
  sites: readonly Site[],
  orders: ReadonlyMap<string, { readonly removed: readonly number[] }>,
  counts: Counts['kept'],
): Decision {
  const decided = sites.map(({ id, units }): [string, SiteDecision] => {
    const removed = orders.get(id)?.removed;
    if (removed?.length !== units - 1) {
      throw new RangeError(
        `expected an order of ${units - 1} units for ${id}, got ${removed?.length ?? 'none'}`,
      );
    }
    const gone = new Set(removed.slice(0, units - (counts[id] ?? units)));
    const kept = Array.from({ length: units }, (_, unit) => unit).filter((unit) => !gone.has(unit));
    return [id, { kind: 'keep', kept, units }];
  });
  return { version: 1, sites: Object.fromEntries(decided) };
}
