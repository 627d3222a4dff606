import type { ParameterMasks } from '../mask/parameter-mask';
import type { Site } from '../sites/site';
import type { Keep } from './keep';
import type { DecisionKind } from './kind';
import { type Share, shareKind } from './share';
import { decisionKinds, kindOf } from './table';

/** A decision of a kind that does not come with Winnow. */
export interface OtherDecision {
  readonly kind: string;
  /** Units of the dense site. */
  readonly units: number;
  readonly [detail: string]: unknown;
}

/** The decision about one site. */
export type SiteDecision = Keep | Share | OtherDecision;

/** The result of a search: plain data, by site; a site that is not named keeps everything. */
export interface Decision {
  readonly version: 1;
  readonly sites: Readonly<Record<string, SiteDecision>>;
  /** Masks of single weights, in the shapes that the cut of the sites leaves. */
  readonly masks?: ParameterMasks;
}

/** The decision that keeps everything. */
export const identityDecision: Decision = { version: 1, sites: {} };

/**
 * The units of a site that stay.
 * @throws {RangeError} when columns of the site are shared or pruned one by one: then there are no whole units.
 */
export function keptUnits(
  decision: Decision,
  site: Site,
  table?: readonly DecisionKind[],
): readonly number[] {
  const found = decision.sites[site.id];
  if (found === undefined) return Array.from({ length: site.units }, (_, unit) => unit);
  const kept = kindOf(found, table).kept(found);
  if (kept !== undefined) return kept;
  throw new RangeError(`columns of ${site.id} are shared one by one: no whole units are kept there`);
}

/** Picks the decisions about sites whose columns are shared or pruned one by one. */
export function sharesOf({ sites }: Decision): ReadonlyMap<string, Share> {
  return new Map(
    Object.entries(sites).flatMap(([id, decided]): [string, Share][] =>
      shareKind.is(decided) ? [[id, decided]] : [],
    ),
  );
}

/** 1 for kept units and 0 for the others, [units]. */
export function maskOf(decision: Decision, site: Site): Float32Array {
  const mask = new Float32Array(site.units);
  for (const unit of keptUnits(decision, site)) mask[unit] = 1;
  return mask;
}

/** The decision that keeps the units whose mask entry is not zero. */
export function decisionFromMasks(
  sites: readonly Site[],
  masks: Readonly<Record<string, ArrayLike<number>>>,
): Decision {
  const decided = sites.map((site): [string, SiteDecision] => {
    const mask = masks[site.id];
    if (mask?.length !== site.units) {
      throw new RangeError(
        `expected a mask of ${site.units} entries for ${site.id}, got ${mask?.length ?? 'none'}`,
      );
    }
    const kept = Array.from({ length: site.units }, (_, unit) => unit).filter((unit) => mask[unit] !== 0);
    return [site.id, { kind: 'keep', kept, units: site.units }];
  });
  return { version: 1, sites: Object.fromEntries(decided) };
}

/**
 * Checks a decision against the sites it is for.
 * @throws {RangeError} naming the site: unknown, of another size, empty, or with units out of range or out of order.
 */
export function checkDecision(
  { sites: decided }: Decision,
  sites: readonly Site[],
  table: readonly DecisionKind[] = decisionKinds,
): void {
  const known = new Map(sites.map((site) => [site.id, site]));
  for (const [id, own] of Object.entries(decided)) {
    const site = known.get(id);
    if (site === undefined) throw new RangeError(`the decision names ${id}, which the model does not have`);
    if (own.units !== site.units) {
      throw new RangeError(`the decision is for ${own.units} units at ${id}, the model has ${site.units}`);
    }
    kindOf(own, table).check(site, own, { sites: known, decided });
  }
}
