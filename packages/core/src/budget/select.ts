import { type Decision, decisionKeeping } from '../decision/decision';
import type { Site } from '../sites/site';
import { floorOf } from '../sites/whole';
import type { RemovalTarget } from './budget';
import { stepAt } from './widths';

/** A number for each unit, by site: the greater, the sooner it goes. */
export type Priorities = Readonly<Record<string, ArrayLike<number>>>;

/** Units of a site that go together, so that its width stays a multiple. */
interface Bundle {
  readonly site: Site;
  readonly order: number;
  readonly units: readonly number[];
  /** The mean of its units' priorities. */
  readonly priority: number;
}

/**
 * Walks down one ranking of all units, removing them until `share` of the target is covered: the removed amount is
 * the target's or up to one unit more. Every site keeps at least its unit of least priority (UPop, Eq. 12 with costs
 * in place of counts), and every list of blocks that block. Ties go to the earlier site and unit, so the same priorities give the same decision.
 *
 * Where widths are to be multiples, as many units of a site as lead to the next one go together, those that would go
 * first, and stand in the ranking by the mean of their priorities; every site keeps its last multiple.
 * @throws {RangeError} when priorities are missing for a site or are not numbers.
 */
export function selectUnits(
  sites: readonly Site[],
  priorities: Priorities,
  target: RemovalTarget,
  share = 1,
): Decision {
  const ranked = sites
    .flatMap((site, order) => bundlesOf(site, order, priorities[site.id], target.multiple))
    .sort((a, b) => b.priority - a.priority || a.order - b.order || (a.units[0] ?? 0) - (b.units[0] ?? 0));

  const kept = new Map(
    sites.map((site) => [site.id, new Set(Array.from({ length: site.units }, (_, unit) => unit))]),
  );
  const left = new Map<string, number>();
  for (const site of sites) left.set(floorOf(site), (left.get(floorOf(site)) ?? 0) + site.units);
  // Half a millionth of the target absorbs rounding in sums of costs, far below one unit.
  const enough = share * target.amount * (1 - 5e-7);
  let removed = 0;
  for (const { site, units } of ranked) {
    if (removed >= enough) break;
    const [floor, all] = [floorOf(site), kept.get(site.id)];
    const others = (left.get(floor) ?? 0) - units.length;
    if (all === undefined || others === 0) continue;
    for (const unit of units) all.delete(unit);
    left.set(floor, others);
    removed += units.length * target.costOf(site);
  }
  return decisionKeeping(sites, ({ id }) => [...(kept.get(id) ?? [])]);
}

/** @throws {RangeError} when there is not one number for each unit. */
function bundlesOf(
  site: Site,
  order: number,
  values: ArrayLike<number> | undefined,
  multiple: number | undefined,
): Bundle[] {
  if (values?.length !== site.units) {
    throw new RangeError(`expected ${site.units} priorities for ${site.id}, got ${values?.length ?? 'none'}`);
  }
  const ranked = Array.from(values, (priority, unit) => ({ unit, priority }));
  const invalid = ranked.find(({ priority }) => Number.isNaN(priority));
  if (invalid !== undefined) throw new RangeError(`the priority of ${site.id} unit ${invalid.unit} is NaN`);
  const step = stepAt(site, multiple);
  if (step > 1) ranked.sort((a, b) => b.priority - a.priority || a.unit - b.unit);
  const bundles: Bundle[] = [];
  // The first one is what the width has above its highest multiple.
  for (let start = 0, end = site.units % step || step; start < site.units; start = end, end += step) {
    const own = ranked.slice(start, end);
    bundles.push({
      site,
      order,
      units: own.map(({ unit }) => unit),
      priority: meanOf(own),
    });
  }
  return bundles;
}

/** The mean as it is where all are the same, infinite ones too. */
function meanOf(own: readonly { readonly priority: number }[]): number {
  const [first] = own;
  if (first === undefined || own.every(({ priority }) => priority === first.priority))
    return first?.priority ?? Number.NaN;
  return own.reduce((sum, { priority }) => sum + priority, 0) / own.length;
}
