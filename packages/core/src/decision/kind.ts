import type { ZodType } from 'zod';
import type { Site } from '../sites/site';

/** The part of a decision about a site that every kind of decision has. */
export type DecidedSite = {
  readonly kind: string;
  /** Units of the dense site. */
  readonly units: number;
};

/** The entries that stay along an axis of a parameter. */
export interface Cut {
  readonly axis: 0 | 1;
  readonly indices: readonly number[];
}

/** All sites of a model, and what is decided about some of them. */
export interface DecidedSites {
  readonly sites: ReadonlyMap<string, Site>;
  readonly decided: Readonly<Record<string, DecidedSite>>;
}

/** A kind of decision about one site, as its author writes it down. */
export interface DecisionKindDefinition<Decided extends DecidedSite> {
  readonly kind: Decided['kind'];
  /** Reads a decision from plain data. */
  readonly schema: ZodType<Decided>;
  /** @throws {RangeError} naming the site, when the decision does not fit it, or what is decided about others. */
  check(site: Site, decided: Decided, all: DecidedSites): void;
  /** The units that stay, ascending; undefined where columns are decided one by one. */
  kept(decided: Decided): readonly number[] | undefined;
  /** The cuts at a site, by path of the parameter. */
  cuts(site: Site, decided: Decided): readonly (readonly [path: string, cut: Cut])[];
  /** The widths that a decision changes at a site, by their path in the configuration. */
  widths(site: Site, decided: Decided): readonly (readonly [path: string, width: number])[];
}

/** A kind of decision, as those see it who work with every kind. */
export interface DecisionKind<
  Decided extends DecidedSite = DecidedSite,
> extends DecisionKindDefinition<Decided> {
  is(decided: DecidedSite): decided is Decided;
}

export const defineDecisionKind = <Decided extends DecidedSite>(
  definition: DecisionKindDefinition<Decided>,
): DecisionKind<Decided> => ({
  ...definition,
  is: (decided): decided is Decided => decided.kind === definition.kind,
});
