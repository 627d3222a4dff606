import { headsKind } from './heads';
import { keepKind } from './keep';
import type { DecidedSite, DecisionKind } from './kind';
import { shareKind } from './share';

/** All kinds of decisions about a site that come with Winnow. */
export const decisionKinds: readonly DecisionKind[] = [keepKind, headsKind, shareKind];

/**
 * The kind of a decision about a site.
 * @throws {RangeError} when none of the table has its name.
 */
export function kindOf(
  { kind }: Pick<DecidedSite, 'kind'>,
  table: readonly DecisionKind[] = decisionKinds,
): DecisionKind {
  const found = table.find((known) => known.kind === kind);
  if (found !== undefined) return found;
  const known = table.map((known) => known.kind).join(', ');
  throw new RangeError(`there is no kind of decision called ${kind}; known are ${known}`);
}
