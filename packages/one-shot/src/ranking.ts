import {
  type Priorities,
  type Site,
  type UnitScores,
  standardize,
  standardizeSites,
  withinSites,
  withinStructures,
} from '@winnow/core';
import type { Scale, Scope } from './options';

/** A ranking in lists of units. */
export interface ListedRanking {
  readonly scope: Exclude<Scope, 'allocated'>;
  readonly scale: Scale;
}

/** Priorities of units by their importance: the least important go first, in the ranking that is asked for. */
export function prioritiesOf(
  sites: readonly Site[],
  importance: UnitScores,
  { scope, scale }: ListedRanking,
): Priorities {
  const dispensable: UnitScores = Object.fromEntries(
    Object.entries(importance).map(([id, scores]) => [id, Float64Array.from(scores, (score) => -score)]),
  );
  switch (scope) {
    case 'per-site':
      return withinSites(sites, dispensable);
    case 'isomorphic':
      return withinStructures(sites, scaled(sites, dispensable, scale));
    case 'global':
      return scaled(sites, dispensable, scale);
    default:
      return scope satisfies never;
  }
}

function scaled(sites: readonly Site[], scores: UnitScores, scale: Scale): UnitScores {
  switch (scale) {
    case 'none':
      return scores;
    case 'cost':
      return Object.fromEntries(
        sites.map(({ id, unitCost }) => [
          id,
          Float64Array.from(scores[id] ?? [], (score) => score / unitCost.parameters),
        ]),
      );
    case 'site':
      return standardizeSites(sites, scores);
    case 'structure':
      return standardize(sites, scores);
    default:
      return scale satisfies never;
  }
}
