import type { Merge, MergeShape } from '@winnow/core';
import type { PartFacts } from '@winnow/onnx';
import type { OnnxPrecision } from '../onnx/precision';

/** By how much less alike tokens may be that a file merges, as differences of cosines: keys that are rounded tell tokens apart that far. */
const tolerances: Readonly<Record<OnnxPrecision, number>> = { f32: 1e-4, f16: 1e-2, int8: 0.1 };

/** Says for the engine where tokens go, as a file has it, and what is to be said of that. */
export interface MergesOfFile {
  readonly merge: Merge;
  /** Sentences on what is wrong, and otherwise on what was found; nothing where no tokens merge. */
  told(): { readonly wrong: readonly string[]; readonly says: readonly string[] };
}

/**
 * Tokens of the engine go where those of the file went, so that both answer about the same ones; and each choice is judged by the engine's own
 * keys: tokens that merge have to be as alike as those that the engine would merge, but for what rounding takes.
 */
export function mergesOfFile(
  { name: part, merges }: Pick<PartFacts, 'name' | 'merges'>,
  precision: OnnxPrecision,
): MergesOfFile {
  const tolerance = tolerances[precision];
  const wrong: string[] = [];
  const passed = new Map<string, number>();
  let [all, others, most] = [0, 0, 0];
  const merge: Merge = (path, keys, shape) => {
    const { tokens, removed } = shape;
    const first = Math.ceil(tokens / 2);
    const count = keys.shape[0] / tokens;
    const start = passed.get(path) ?? 0;
    passed.set(path, start + count);
    const [sums, counts] = ['sums', 'counts'].map((key) =>
      merges
        .find(({ product }) => product === `${path}.${key}`)
        ?.places.subarray(start * first, (start + count) * first),
    );
    if (sums?.length !== count * first || sums.some((place, at) => place !== counts?.[at])) {
      wrong.push(`${part}: nothing says where tokens go in ${path}, or two things do`);
      return undefined;
    }
    const values = keys.dataSync();
    const width = keys.shape[1];
    const rows = new Int32Array(count * tokens);
    for (let example = 0; example < count; example++) {
      const places = sums.subarray(example * first, (example + 1) * first);
      const own = values.subarray(example * tokens * width, (example + 1) * tokens * width);
      const found = judged(cosinesOf(own, width, shape), places, shape);
      if (found === undefined) {
        wrong.push(
          `${part}: in ${path} ${String(removed)} tokens were to be merged, and others to keep their places`,
        );
        return undefined;
      }
      if (!(found.lessAlike <= tolerance))
        wrong.push(
          `${part}: in ${path} tokens are merged that are ${found.lessAlike.toExponential(1)} less alike than others, ${String(tolerance)} is allowed`,
        );
      all += removed;
      others += found.others;
      most = Math.max(most, found.lessAlike);
      rows.set(rowsOf(places, shape, example), example * tokens);
    }
    return rows;
  };
  const told = () => ({
    wrong: [...new Set(wrong)],
    says:
      all === 0
        ? []
        : [
            `${part}: ${String(all)} tokens are merged, ${others === 0 ? 'all of them as the engine merges them' : `${String(others)} of them otherwise than the engine would, at most ${most.toExponential(1)} less alike; answers are compared of the same tokens`}`,
          ],
  });
  return { merge, told };
}

/** The sets that tokens of a sequence alternate into, and how many of each lead. */
const setsOf = ({ tokens, leading }: MergeShape) => ({
  ...{ first: Math.ceil(tokens / 2), second: Math.floor(tokens / 2) },
  ...{ leadingFirst: Math.ceil(leading / 2), leadingSecond: Math.floor(leading / 2) },
});

/** Keys [T, d] → cosines of each token of the first set with each of the second. */
function cosinesOf(keys: ArrayLike<number>, width: number, shape: MergeShape): readonly Float64Array[] {
  const unit = Array.from({ length: shape.tokens }, (_, token) => {
    const own = Float64Array.from({ length: width }, (_, at) => keys[token * width + at] ?? Number.NaN);
    const length = Math.max(Math.hypot(...own), 1e-12);
    return own.map((value) => value / length);
  });
  const { first, second } = setsOf(shape);
  return Array.from({ length: first }, (_, i) =>
    Float64Array.from({ length: second }, (_, j) =>
      (unit[2 * i] ?? new Float64Array()).reduce(
        (sum, value, at) => sum + value * (unit[2 * j + 1]?.[at] ?? 0),
        0,
      ),
    ),
  );
}

/**
 * By how much less alike those are that were merged, and how many of them the engine would merge otherwise. Undefined where others than so many
 * are merged, or one that stays has lost its place.
 */
function judged(cosines: readonly Float64Array[], places: Int32Array, shape: MergeShape) {
  const { first, second, leadingFirst, leadingSecond } = setsOf(shape);
  const { removed } = shape;
  const partners = cosines.map((row) => {
    let best = leadingSecond;
    for (let j = leadingSecond; j < second; j++) if ((row[j] ?? 0) > (row[best] ?? 0)) best = j;
    return best;
  });
  const greatest = partners.map((partner, i) => cosines[i]?.[partner] ?? Number.NaN);
  const order = Array.from({ length: first - leadingFirst }, (_, at) => leadingFirst + at).sort(
    (a, b) => (greatest[b] ?? 0) - (greatest[a] ?? 0) || a - b,
  );
  const wanted = new Set(order.slice(0, removed));
  let [merged, staying, others, lessAlike] = [0, 0, 0, 0];
  let [least, mostOfOthers] = [Infinity, -Infinity];
  for (const [i, place] of places.entries()) {
    const target = place - (first - removed);
    if (target < leadingSecond) {
      if (place !== staying + (i < leadingFirst ? i : leadingSecond)) return undefined;
      staying += 1;
      if (i >= leadingFirst) mostOfOthers = Math.max(mostOfOthers, greatest[i] ?? Number.NaN);
      continue;
    }
    if (i < leadingFirst || target >= second) return undefined;
    merged += 1;
    if (!wanted.has(i) || target !== partners[i]) others += 1;
    least = Math.min(least, greatest[i] ?? Number.NaN);
    lessAlike = Math.max(lessAlike, (greatest[i] ?? Number.NaN) - (cosines[i]?.[target] ?? Number.NaN));
  }
  if (merged !== removed) return undefined;
  return { others, lessAlike: Math.max(lessAlike, merged === 0 ? 0 : mostOfOthers - least) };
}

/** Places of the first set → the row of every token among those that are left of all sequences, as `mergePlan` has it. */
function rowsOf(places: Int32Array, shape: MergeShape, example: number): Int32Array {
  const { first, leadingSecond } = setsOf(shape);
  const { tokens, removed } = shape;
  return Int32Array.from({ length: tokens }, (_, token) => {
    const at = Math.floor(token / 2);
    const ofSecond = at < leadingSecond ? 2 * at + 1 : first - removed + at;
    return example * (tokens - removed) + (token % 2 === 0 ? (places[at] ?? 0) : ofSecond);
  });
}
