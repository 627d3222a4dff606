import type { ParameterMasks } from '../mask/parameter-mask';
import type { Site } from '../sites/site';
import { type Divisible, headSite, placeInList, sitesOf } from '../sites/whole';
import { type DecidedBlocks, checkBlocks, staysBlock } from './blocks';
import { type KeptHeads, headsKind } from './heads';
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
export type SiteDecision = Keep | KeptHeads | Share | OtherDecision;

/** The result of a search: plain data, by site; a site that is not named keeps everything. */
export interface Decision {
  readonly version: 1;
  readonly sites: Readonly<Record<string, SiteDecision>>;
  /** Masks of single weights, in the shapes that the cut of the sites leaves. */
  readonly masks?: ParameterMasks;
  /** Whole blocks that stay; a decision that takes some takes nothing else. */
  readonly blocks?: DecidedBlocks;
}

/** The decision that keeps everything. */
export const identityDecision: Decision = { version: 1, sites: {} };

/**
 * The units of a site that stay; of a site of whole heads the heads, of one that is a block the block.
 * @throws {RangeError} when columns of the site are shared or pruned one by one, or other units than its own were decided on.
 */
export function keptUnits(
  decision: Decision,
  site: Site,
  table?: readonly DecisionKind[],
): readonly number[] {
  if (site.whole?.kind === 'block') return staysBlock(decision.blocks, site.id) ? [0] : [];
  const found = decision.sites[site.id];
  if (found === undefined) return Array.from({ length: site.units }, (_, unit) => unit);
  const isOfHeads = site.whole?.kind === 'heads';
  if (headsKind.is(found) !== isOfHeads)
    throw new RangeError(`at ${site.id} ${isOfHeads ? 'dimensions' : 'whole heads'} were decided on`);
  const kept = headsKind.is(found) ? found.kept : kindOf(found, table).kept(found);
  if (kept !== undefined) return kept;
  throw new RangeError(`columns of ${site.id} are shared one by one: no whole units are kept there`);
}

/** The sites that a decision is about: whole heads where such were decided on, and blocks where some go. */
export function decidedSites(model: Divisible, decision: Decision): readonly Site[] {
  const sites = model.sites.map((site) => {
    const found = decision.sites[site.id];
    return found !== undefined && headsKind.is(found) ? (headSite(site) ?? site) : site;
  });
  return decision.blocks === undefined ? sites : [...sites, ...sitesOf(model, 'blocks')];
}

/** The decision that keeps these units, by the paths of their sites, which may be of whole heads or whole blocks. */
export function decisionKeeping(sites: readonly Site[], keptAt: (site: Site) => readonly number[]): Decision {
  const decided: Record<string, SiteDecision> = {};
  const blocks: Record<string, { kept: number[]; units: number }> = {};
  for (const site of sites) {
    const [kept, { id, units, whole }] = [keptAt(site), site];
    switch (whole?.kind) {
      case undefined:
        decided[id] = { kind: 'keep', kept, units };
        break;
      case 'heads':
        decided[id] = { kind: 'heads', kept, heads: units, units: whole.dimensions };
        break;
      case 'block': {
        const { list, index } = placeInList(id);
        const own = (blocks[list] ??= { kept: [], units: 0 });
        own.units += 1;
        if (kept.length > 0) own.kept.push(index);
        break;
      }
      default:
        whole satisfies never;
    }
  }
  return { version: 1, sites: decided, ...(Object.keys(blocks).length === 0 ? {} : { blocks }) };
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
  return decisionKeeping(sites, (site) => {
    const mask = masks[site.id];
    if (mask?.length !== site.units) {
      throw new RangeError(
        `expected a mask of ${site.units} entries for ${site.id}, got ${mask?.length ?? 'none'}`,
      );
    }
    return Array.from({ length: site.units }, (_, unit) => unit).filter((unit) => mask[unit] !== 0);
  });
}

/**
 * Checks a decision against the sites it is for.
 * @throws {RangeError} naming the site: unknown, of another size, empty, or with units out of range or out of order.
 */
export function checkDecision(
  { sites: decided, masks, blocks }: Decision,
  sites: readonly Site[],
  table: readonly DecisionKind[] = decisionKinds,
): void {
  if (blocks !== undefined) {
    checkBlocks(blocks, sites);
    if (Object.keys(decided).length > 0 || masks !== undefined)
      throw new RangeError('a decision that takes whole blocks takes nothing else');
  }
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
