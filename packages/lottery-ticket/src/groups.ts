import type { PrunableMatrix } from '@winnow/core';

/** Within what weights are compared: all of them, those of a tower, of one of its layers, or of a matrix. */
export const scopes = ['global', 'per-tower', 'per-layer', 'per-matrix'] as const;
export type Scope = (typeof scopes)[number];

/** The matrices whose weights stand in one ranking, group by group; a group loses the same share as every other. */
export function groupsOf(matrices: readonly PrunableMatrix[], scope: Scope): PrunableMatrix[][] {
  const keyOf = ({ tower, layer, parameter }: PrunableMatrix): string => {
    switch (scope) {
      case 'global':
        return '';
      case 'per-tower':
        return tower;
      case 'per-layer':
        return `${tower}/${layer ?? 'after'}`;
      case 'per-matrix':
        return parameter;
      default:
        return scope satisfies never;
    }
  };
  const groups = new Map<string, PrunableMatrix[]>();
  for (const matrix of matrices) {
    const key = keyOf(matrix);
    groups.set(key, [...(groups.get(key) ?? []), matrix]);
  }
  return [...groups.values()];
}

/** The number of a group's entries, and of those that are gone. */
export interface GroupCount {
  readonly size: number;
  readonly removed: number;
}

/**
 * Counts the entries that each group has lost when `removed` of all are gone: the same share of each, to the nearest entry that
 * lets the numbers add up, and never fewer than before. Ties go to the earlier group.
 * @throws {RangeError} when fewer are to be gone than already are, or more than there are.
 */
export function apportion(groups: readonly GroupCount[], removed: number): number[] {
  const size = groups.reduce((total, group) => total + group.size, 0);
  const before = groups.reduce((total, group) => total + group.removed, 0);
  if (removed < before || removed > size) {
    throw new RangeError(`expected ${before} to ${size} entries to be gone, got ${removed}`);
  }
  const wanted = groups.map((group) => (group.size * removed) / size);
  const gone = groups.map((group, index) => Math.max(group.removed, Math.floor(wanted[index] ?? 0)));
  let missing = removed - gone.reduce((total, count) => total + count, 0);
  // How far a group is behind its share: negative where it is ahead.
  const behind = (index: number) => (wanted[index] ?? 0) - (gone[index] ?? 0);
  const move = (by: 1 | -1, canMove: (group: GroupCount, count: number) => boolean) => {
    const movable = groups.flatMap((group, index) => (canMove(group, gone[index] ?? 0) ? [index] : []));
    const [next] = movable.sort((a, b) => by * (behind(b) - behind(a)) || a - b);
    if (next === undefined) throw new RangeError('apportion: no group can change');
    gone[next] = (gone[next] ?? 0) + by;
    missing -= by;
  };
  while (missing > 0) move(1, (group, count) => count < group.size);
  while (missing < 0) move(-1, (group, count) => count > group.removed);
  return gone;
}
