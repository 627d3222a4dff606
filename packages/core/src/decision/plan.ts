import { type Site, copiesOf } from '../sites/site';
import { withValues } from '../tree/record';
import { type Decision, checkDecision, keptUnits, sharesOf } from './decision';
import { type Share, fullestHead, ownColumns } from './share';

/** Columns that stand in several places and are stored once, by the sites' paths. */
export type Ties = Readonly<Record<string, Share>>;

/** The entries that stay along an axis of a parameter. */
export interface Cut {
  readonly axis: 0 | 1;
  readonly indices: readonly number[];
}

/** All that a decision changes, for configuration and tensors alike. */
export interface CutPlan {
  /** By path of the parameter; one without cuts stays whole. */
  readonly cuts: ReadonlyMap<string, readonly Cut[]>;
  /** The widths that are left, by their path in the configuration. */
  readonly widths: ReadonlyMap<string, number>;
  /** The columns that are shared; undefined when none are. */
  readonly ties: Ties | undefined;
}

/**
 * Plans the cut that a decision asks for.
 * @throws {RangeError} when the decision does not fit the sites.
 */
export function planOf(sites: readonly Site[], decision: Decision): CutPlan {
  checkDecision(decision, sites);
  const cuts = new Map<string, Cut[]>();
  const widths = new Map<string, number>();
  for (const site of sites) {
    for (const [path, cut] of cutsAt(site, decision)) cuts.set(path, [...(cuts.get(path) ?? []), cut]);
    for (const [path, width] of widthsAt(site, decision)) widths.set(path, width);
  }
  const shares = sharesOf(decision);
  return { cuts, widths, ties: shares.size === 0 ? undefined : Object.fromEntries(shares) };
}

/** The configuration of the model that a plan leaves. */
export function cutConfig<Config extends object>(
  config: Config,
  { widths, ties }: Pick<CutPlan, 'widths' | 'ties'>,
): Config {
  return withValues(
    config,
    new Map<string, unknown>([...widths, ...(ties === undefined ? [] : [['ties', ties] as const])]),
  );
}

/** The cuts at a site, by path of the parameter: of shared columns each parameter keeps its own. */
function cutsAt(site: Site, decision: Decision): [path: string, cut: Cut][] {
  const decided = decision.sites[site.id];
  if (decided?.kind === 'share') {
    return site.couplings.flatMap(({ parameter, axis, columns = '' }): [string, Cut][] => {
      const letters = decided.columns[columns];
      return letters === undefined ? [] : [[parameter, { axis, indices: ownColumns(letters) }]];
    });
  }
  const kept = keptUnits(decision, site);
  if (kept.length === site.units) return [];
  return site.couplings.map(({ parameter, axis, copies }): [string, Cut] => {
    const indices = Array.from({ length: copies }, (_, copy) =>
      kept.map((unit) => copy * site.units + unit),
    ).flat();
    return [parameter, { axis, indices }];
  });
}

/** The widths that a decision changes at a site, by their path in the configuration. */
function widthsAt(site: Site, decision: Decision): [path: string, width: number][] {
  const decided = decision.sites[site.id];
  if (decided?.kind !== 'share') {
    const { length } = keptUnits(decision, site);
    return length === site.units ? [] : [[site.width, length]];
  }
  return site.columns.flatMap(({ names, width }): [string, number][] => {
    const letters = decided.columns[names[0] ?? ''];
    if (width === undefined || letters === undefined) return [];
    const columns = fullestHead(letters, copiesOf(site));
    return columns === site.units ? [] : [[width, columns]];
  });
}
