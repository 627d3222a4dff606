import type { KeptEntries, PrunableMatrix } from '@winnow/core';
import { type Scope, apportion, groupsOf } from './groups';
import { type Pattern, excess } from './pattern';

/** One number per weight, by parameter: the weights with the smallest go first. */
export type Scores = Readonly<Record<string, ArrayLike<number>>>;

export interface Pruning {
  readonly matrices: readonly PrunableMatrix[];
  readonly scope: Scope;
  readonly pattern?: Pattern | undefined;
}

/** The mask that keeps everything. */
export function everything(matrices: readonly PrunableMatrix[]): Record<string, Uint8Array> {
  return Object.fromEntries(
    matrices.map(({ parameter, shape: [rows, columns] }) => [
      parameter,
      new Uint8Array(rows * columns).fill(1),
    ]),
  );
}

/** The number of weights that a mask has taken away. */
export function removedCount(kept: KeptEntries): number {
  return Object.values(kept).reduce((total, entries) => total + entries.length - countOf(entries), 0);
}

const countOf = (entries: Uint8Array): number => entries.reduce((total, entry) => total + entry, 0);

/**
 * Extends a mask until exactly `removed` weights are gone: of those still there, the ones with the smallest scores go,
 * ranked within each group of the scope. With a pattern, what it does not allow goes first. Ties go to the earlier
 * matrix and weight, so the same scores give the same mask.
 * @throws {RangeError} when scores are missing or not numbers, or `removed` is out of range.
 */
export function prune(
  { matrices, scope, pattern }: Pruning,
  scores: Scores,
  kept: KeptEntries,
  removed: number,
): Record<string, Uint8Array> {
  const next = Object.fromEntries(
    matrices.map(({ parameter, shape: [rows, columns] }) => {
      const [values, entries] = [scores[parameter], kept[parameter]];
      if (values?.length !== rows * columns || entries?.length !== rows * columns) {
        throw new RangeError(`expected ${rows * columns} scores and mask entries for ${parameter}`);
      }
      return [parameter, Uint8Array.from(entries)];
    }),
  );
  const groups = groupsOf(matrices, scope);
  const counts = groups.map((group) => {
    const entries = group.flatMap(({ parameter }) => next[parameter] ?? []);
    const size = entries.reduce((total, { length }) => total + length, 0);
    return { size, removed: size - entries.reduce((total, one) => total + countOf(one), 0) };
  });
  apportion(counts, removed).forEach((target, index) => {
    const group = groups[index] ?? [];
    let due = target - (counts[index]?.removed ?? 0);
    if (pattern !== undefined)
      due -= removeSmallest(tooMany(group, scores, next, pattern), scores, next, due);
    removeSmallest(group.map(stillThere(next)), scores, next, due);
  });
  return next;
}

/** Weights of one matrix that may go, in ascending order of their place. */
interface Candidates {
  readonly parameter: string;
  readonly indices: Uint32Array;
}

const stillThere =
  (kept: KeptEntries) =>
  ({ parameter }: PrunableMatrix): Candidates => ({
    parameter,
    indices: indicesOfOnes(kept[parameter] ?? new Uint8Array()),
  });

function tooMany(
  group: readonly PrunableMatrix[],
  scores: Scores,
  kept: KeptEntries,
  pattern: Pattern,
): Candidates[] {
  return group.map(({ parameter, shape }) => {
    const entries = kept[parameter] ?? new Uint8Array();
    return { parameter, indices: indicesOfOnes(excess(scores[parameter] ?? [], entries, shape, pattern)) };
  });
}

function indicesOfOnes(entries: Uint8Array): Uint32Array {
  const indices = new Uint32Array(countOf(entries));
  let next = 0;
  for (let i = 0; i < entries.length; i++) if (entries[i] === 1) indices[next++] = i;
  return indices;
}

/**
 * Takes away the `count` candidates of smallest score, or all of them if there are fewer; how many it took. The scores
 * are sorted without their places, which is fast, and what equals the last of them goes in order of place.
 */
function removeSmallest(
  candidates: readonly Candidates[],
  scores: Scores,
  kept: Record<string, Uint8Array>,
  count: number,
): number {
  const total = candidates.reduce((sum, { indices }) => sum + indices.length, 0);
  const taken = Math.min(count, total);
  if (taken <= 0) return 0;
  const sorted = new Float64Array(total);
  let next = 0;
  for (const { parameter, indices } of candidates) {
    const values = scores[parameter] ?? [];
    for (const index of indices) {
      const score = values[index];
      if (score === undefined || Number.isNaN(score)) {
        throw new RangeError(`the score of weight ${index} of ${parameter} is not a number`);
      }
      sorted[next++] = score;
    }
  }
  sorted.sort();
  const last = sorted[taken - 1] ?? 0;
  let below = 0;
  while (below < taken && (sorted[below] ?? 0) < last) below++;
  let equal = taken - below;
  for (const { parameter, indices } of candidates) {
    const [values, entries] = [scores[parameter] ?? [], kept[parameter]];
    if (entries === undefined) continue;
    for (const index of indices) {
      const score = values[index] ?? 0;
      if (score > last || (score === last && equal === 0)) continue;
      if (score === last) equal -= 1;
      entries[index] = 0;
    }
  }
  return taken;
}
