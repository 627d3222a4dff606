import { type Decision, type SiteDecision, keptUnits } from '../decision/decision';
import { headsKind } from '../decision/heads';
import { UserError } from '../error/user-error';
import type { Site } from '../sites/site';
import { headSite } from '../sites/whole';
import type { ReconstructionKind } from './kind';
import { type CutSite, cutSite } from './site';

/** Sites that stand in one block, in the order in which a pass comes to them. */
export interface SiteGroup {
  /** The block at which passes can begin; undefined where the whole model has to run. */
  readonly block: string | undefined;
  readonly sites: readonly CutSite[];
}

/** The sites of which units go. */
export const removedFrom = (sites: readonly Site[], decision: Decision): CutSite[] =>
  sites.flatMap((dense) => {
    const decided = decision.sites[dense.id];
    const site = decided !== undefined && headsKind.is(decided) ? (headSite(dense) ?? dense) : dense;
    const kept = keptUnits(decision, site);
    return kept.length === site.units ? [] : [cutSite(site, kept)];
  });

/**
 * Sites in the order in which a pass comes to them.
 * @throws {UserError} naming the site, when the model does not show what is read there.
 */
export function inOrder(sites: readonly CutSite[], taps: readonly string[]): CutSite[] {
  const places = new Map(taps.map((tap, place) => [tap, place]));
  const placeOf = ({ site, reader }: CutSite): number => {
    const place = places.get(reader);
    if (place !== undefined) return place;
    throw new UserError(
      `${site.id} cannot be reconstructed: this model does not show what goes into ${reader}`,
    );
  };
  return sites
    .map((own) => ({ own, place: placeOf(own) }))
    .sort((a, b) => a.place - b.place)
    .map(({ own }) => own);
}

/** @param blocks Those at which a pass can begin. */
export function byBlock(sites: readonly CutSite[], blocks: readonly string[]): SiteGroup[] {
  const groups: { block: string | undefined; sites: CutSite[] }[] = [];
  for (const own of sites) {
    const block = blocks.find((known) => known === own.site.block);
    const last = groups.at(-1);
    if (last !== undefined && block !== undefined && last.block === block) last.sites.push(own);
    else groups.push({ block, sites: [own] });
  }
  return groups;
}

/** The decision, with the units that stay now; of free bases their number alone is left to say, and whole heads are those decided on. */
export function decisionAfter(
  decision: Decision,
  work: readonly CutSite[],
  kept: Readonly<Record<string, readonly number[]>>,
  kind: ReconstructionKind,
): Decision {
  const dimensions = work.filter(({ site }) => site.whole === undefined);
  const changed = dimensions.map(
    ({ site: { id, units }, kept: before, attention }): [string, SiteDecision] => {
      const isFree = attention !== undefined && (kind === 'bases' || kind === 'project');
      return [
        id,
        isFree
          ? { kind: 'keep', kept: before.map((_, index) => index), units, basis: 'own' }
          : { kind: 'keep', kept: kept[id] ?? before, units },
      ];
    },
  );
  return { ...decision, sites: { ...decision.sites, ...Object.fromEntries(changed) } };
}
