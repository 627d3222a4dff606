import type { Model } from '../families/model';
import { type Budget, type BudgetUnit, budgetUnits, removalTarget, smallestKeep } from './budget';
import { stepAt } from './widths';
import { type UnitGrain, sitesOf } from '../sites/whole';
import { smallestSparseKeep, sparsityTarget, sparsityUnits } from './sparsity';

/** The things that a method decides about: units of sites, whole heads in their place, whole blocks, or single weights. */
export type Granularity = 'units' | 'heads' | 'blocks' | 'weights';

/** The demand that a budget makes on a method, depending on what it decides about. */
export interface Requirement {
  /** The amount that must go, in the budget's unit. */
  readonly amount: number;
  /** All of what the budget counts, in the dense model. */
  readonly total: number;
  /** The most that goes at once, a unit or a multiple of them: a method may remove that much more than it must. */
  readonly step: number;
}

type Described = Pick<Model, 'sites' | 'specs' | 'account' | 'readout' | 'mergesTokens'>;

/** The units of sites by what is decided about. */
const grains = { units: 'dimensions', heads: 'heads', blocks: 'blocks' } as const;
const granularities = { dimensions: 'units', heads: 'heads', blocks: 'blocks' } as const;

/** The granularity of a plan whose units are dimensions and hidden units, whole heads in their place, or whole blocks. */
export const granularityOf = (grain: UnitGrain): Granularity => granularities[grain];

/** @throws {UserError} when a budget cannot be met by decisions of this granularity. */
export function requirement(
  model: Described,
  budget: Budget,
  granularity: Granularity = 'units',
): Requirement {
  switch (granularity) {
    case 'units':
    case 'heads':
    case 'blocks': {
      const sites = sitesOf(model, grains[granularity]);
      const { amount, total, costOf } = removalTarget(model, budget, sites);
      return {
        amount,
        total,
        step: Math.max(...sites.map((site) => stepAt(site, budget.multiple) * costOf(site))),
      };
    }
    case 'weights': {
      const { amount, total } = sparsityTarget(model, budget);
      return { amount, total, step: 1 };
    }
    default:
      return granularity satisfies never;
  }
}

/** The units that decisions of a granularity can be counted in. */
export function countedUnits(granularity: Granularity = 'units'): readonly BudgetUnit[] {
  switch (granularity) {
    case 'units':
    case 'heads':
    case 'blocks':
      return budgetUnits;
    case 'weights':
      return sparsityUnits;
    default:
      return granularity satisfies never;
  }
}

/**
 * The smallest share that decisions of a granularity can reach.
 * @throws {UserError} for a unit that they cannot be counted in.
 */
export function leastKeep(model: Described, unit: BudgetUnit, granularity: Granularity = 'units'): number {
  switch (granularity) {
    case 'units':
    case 'heads':
    case 'blocks':
      return smallestKeep(model, { unit }, sitesOf(model, grains[granularity]));
    case 'weights':
      return smallestSparseKeep(model, unit);
    default:
      return granularity satisfies never;
  }
}
