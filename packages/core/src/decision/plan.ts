import type { Site } from '../sites/site';
import { withEntries, withValues } from '../tree/record';
import { blockLists } from './blocks';
import { type Decision, checkDecision, sharesOf } from './decision';
import type { Cut, DecisionKind } from './kind';
import type { Share } from './share';
import { decisionKinds, kindOf } from './table';

/** Columns that stand in several places and are stored once, by the sites' paths. */
export type Ties = Readonly<Record<string, Share>>;

/** A list of blocks of which some stay. */
export interface CutList {
  /** Paths in the model's record and in its configuration. */
  readonly path: string;
  readonly config: string;
  /** Places that stay, ascending. */
  readonly kept: readonly number[];
}

/** All that a decision changes, for configuration and tensors alike. */
export interface CutPlan {
  /** By path of the parameter; one without cuts stays whole. */
  readonly cuts: ReadonlyMap<string, readonly Cut[]>;
  /** The widths that are left, by their path in the configuration. */
  readonly widths: ReadonlyMap<string, number>;
  /** The columns that are shared; undefined when none are. */
  readonly ties: Ties | undefined;
  /** Lists of which whole blocks go. */
  readonly lists: readonly CutList[];
}

/**
 * Plans the cut that a decision asks for.
 * @throws {RangeError} when the decision does not fit the sites.
 */
export function planOf(
  sites: readonly Site[],
  decision: Decision,
  table: readonly DecisionKind[] = decisionKinds,
): CutPlan {
  checkDecision(decision, sites, table);
  const cuts = new Map<string, Cut[]>();
  const widths = new Map<string, number>();
  for (const site of sites) {
    const decided = decision.sites[site.id];
    if (decided === undefined) continue;
    const kind = kindOf(decided, table);
    for (const [path, cut] of kind.cuts(site, decided)) cuts.set(path, [...(cuts.get(path) ?? []), cut]);
    for (const [path, width] of kind.widths(site, decided)) widths.set(path, width);
  }
  const shares = sharesOf(decision);
  const known = blockLists(sites);
  const lists = Object.entries(decision.blocks ?? {}).flatMap(([path, { kept, units }]): CutList[] => {
    const config = known.get(path)?.config;
    return config === undefined || kept.length === units ? [] : [{ path, config, kept }];
  });
  return { cuts, widths, lists, ties: shares.size === 0 ? undefined : Object.fromEntries(shares) };
}

/** The configuration of the model that a plan leaves. */
export function cutConfig<Config extends object>(
  config: Config,
  { widths, ties, lists }: Pick<CutPlan, 'widths' | 'ties' | 'lists'>,
): Config {
  const shallow = lists.reduce((own, { config: path, kept }) => withEntries(own, path, kept), config);
  return withValues(
    shallow,
    new Map<string, unknown>([...widths, ...(ties === undefined ? [] : [['ties', ties] as const])]),
  );
}
