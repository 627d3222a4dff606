import { type Decision, decisionKeeping } from '../decision/decision';
import type { Site } from '../sites/site';
import { floorOf } from '../sites/whole';
import type { RemovalTarget } from './budget';

/** How much each unit should go, by site; the greater, the sooner. */
export type Priorities = Readonly<Record<string, ArrayLike<number>>>;

/**
 * Walks down one ranking of all units, removing them until `share` of the target is covered: the removed amount is
 * the target's or up to one unit more. Every site keeps at least its unit of least priority (UPop, Eq. 12 with costs
 * in place of counts), and every list of blocks that block. Ties go to the earlier site and unit, so the same priorities give the same decision.
 * @throws {RangeError} when priorities are missing for a site or are not numbers.
 */
export function selectUnits(
  sites: readonly Site[],
  priorities: Priorities,
  target: RemovalTarget,
  share = 1,
): Decision {
  const ranked = sites
    .flatMap((site, order) => {
      const values = priorities[site.id];
      if (values?.length !== site.units) {
        throw new RangeError(
          `expected ${site.units} priorities for ${site.id}, got ${values?.length ?? 'none'}`,
        );
      }
      return Array.from(values, (priority, unit) => ({ site, order, unit, priority }));
    })
    .sort((a, b) => b.priority - a.priority || a.order - b.order || a.unit - b.unit);
  const invalid = ranked.find(({ priority }) => Number.isNaN(priority));
  if (invalid !== undefined)
    throw new RangeError(`the priority of ${invalid.site.id} unit ${invalid.unit} is NaN`);

  const kept = new Map(
    sites.map((site) => [site.id, new Set(Array.from({ length: site.units }, (_, unit) => unit))]),
  );
  const left = new Map<string, number>();
  for (const site of sites) left.set(floorOf(site), (left.get(floorOf(site)) ?? 0) + site.units);
  // Half a millionth of the target absorbs rounding in sums of costs, far below one unit.
  const enough = share * target.amount * (1 - 5e-7);
  let removed = 0;
  for (const { site, unit } of ranked) {
    if (removed >= enough) break;
    const [floor, units] = [floorOf(site), kept.get(site.id)];
    const others = (left.get(floor) ?? 0) - 1;
    if (units === undefined || others === 0) continue;
    units.delete(unit);
    left.set(floor, others);
    removed += target.costOf(site);
  }
  return decisionKeeping(sites, ({ id }) => [...(kept.get(id) ?? [])]);
}
