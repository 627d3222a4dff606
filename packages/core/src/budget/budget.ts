import { UserError } from '../error/user-error';
import type { Model } from '../families/model';
import { type Cost, type Site, compressibleCost } from '../sites/site';
import { floorOf } from '../sites/whole';
import { checkMultiple, stepAt } from './widths';

/**
 * The units of a budget: parameters of the sites (UPop's p), all parameters, or multiply–accumulates of one example.
 */
export const budgetUnits = ['compressible-parameters', 'parameters', 'macs'] as const;
export type BudgetUnit = (typeof budgetUnits)[number];

export interface Budget {
  readonly unit: BudgetUnit;
  /** Share that stays: 0.5 is 2×; 1 is the identity. */
  readonly keep: number;
  /** Widths are multiples of this, or whole, as suits the kernels that run them; any width by default. */
  readonly multiple?: number | undefined;
}

/** A budget made concrete for a model: how much must go, and what a unit of a site is worth. */
export interface RemovalTarget {
  readonly amount: number;
  /** All of what the budget counts, in the dense model. */
  readonly total: number;
  /** Widths are multiples of this, or whole; any by default. */
  readonly multiple?: number | undefined;
  /** The cost of one unit. */
  costOf(site: Site): number;
}

type Described = Pick<Model, 'sites' | 'account'>;

/**
 * Computes how much of this model has to go to meet the budget.
 * @param sites The sites of which units go: the model's, or whole heads or blocks (`sitesOf`).
 * @throws {UserError} when the share is not in (0, 1], or cannot be reached with one unit, or one multiple of them, left
 * at every site.
 */
export function removalTarget(
  model: Described,
  budget: Budget,
  sites: readonly Site[] = model.sites,
): RemovalTarget {
  const { unit, keep, multiple } = budget;
  if (!(keep > 0 && keep <= 1)) {
    throw new UserError(`expected a budget that keeps more than 0 and at most 1 of the ${unit}, got ${keep}`);
  }
  if (model.sites.length === 0) {
    throw new UserError(
      'this model has no units that can be cut: its columns are shared or its weights masked, so start from the dense model',
    );
  }
  checkMultiple(sites, multiple);
  const measure = measureOf(unit);
  const total =
    unit === 'compressible-parameters' ? measure(compressibleCost(model.sites)) : measure(model.account);
  const amount = (1 - keep) * total;
  const least = smallestKeep(model, budget, sites);
  if (keep < least) {
    const share = (value: number) => `${(100 * value).toFixed(2)} %`;
    throw new UserError(
      `a budget of ${share(keep)} of the ${unit} cannot be reached: ${leastText(sites, multiple)}, which leaves ` +
        `${share(least)}. Ask for at least that, or count another unit (${budgetUnits.join(', ')}).`,
    );
  }
  return { amount, total, multiple, costOf: (site) => measure(site.unitCost) };
}

function leastText(sites: readonly Site[], multiple = 1): string {
  if (sites.some(({ whole }) => whole?.kind === 'block')) return 'every tower keeps at least one block';
  const unit = multiple === 1 ? 'one unit' : `${multiple} units, or what it has of less,`;
  const kept = sites.some(({ whole }) => whole?.kind === 'heads') ? `a head or ${unit}` : unit;
  return `every site keeps at least ${kept}`;
}

/** The smallest share that pruning sites can reach, every site keeping one unit, or one multiple of them, and every list of blocks its largest. */
export function smallestKeep(
  model: Described,
  { unit, multiple }: Pick<Budget, 'unit' | 'multiple'>,
  sites: readonly Site[] = model.sites,
): number {
  const measure = measureOf(unit);
  const { account } = model;
  const total =
    unit === 'compressible-parameters' ? measure(compressibleCost(model.sites)) : measure(account);
  const floors = new Map<string, number>();
  let all = 0;
  for (const site of sites) {
    const cost = measure(site.unitCost);
    all += site.units * cost;
    const least = stepAt(site, multiple) * cost;
    floors.set(floorOf(site), Math.max(floors.get(floorOf(site)) ?? 0, least));
  }
  const removable = [...floors.values()].reduce((left, cost) => left - cost, all);
  return 1 - removable / total;
}

function measureOf(unit: BudgetUnit): (cost: Cost) => number {
  switch (unit) {
    case 'compressible-parameters':
    case 'parameters':
      return ({ parameters }) => parameters;
    case 'macs':
      return ({ macs }) => macs;
    default:
      return unit satisfies never;
  }
}
