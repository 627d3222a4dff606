import { type Judged, runCounts } from './words';

const LONGEST = 4;
const DEVIATION = 6;

/** Weights of runs of n words by entry n − 1, their lengths, and how many pairs of words there are. */
interface Weighted {
  readonly weights: readonly ReadonlyMap<string, number>[];
  readonly norms: readonly number[];
  readonly pairs: number;
}

/**
 * CIDEr-D of each text (Vedantam et al., 2015; coco-caption's `cider_scorer.py`), from 0 to 10: how alike its runs of 1 to 4 words are to those
 * of its references, each weighed by how few of the pictures have it in theirs, with less for another length. Pictures of one
 * set can be compared alone, as the weights are made of the references of all.
 * @throws {RangeError} for a text without references.
 */
export function ciderD(judged: readonly Judged[]): number[] {
  const having = new Map<string, number>();
  const counted = judged.map(({ candidate, references }) => {
    if (references.length === 0) throw new RangeError('expected references of every text');
    const own = references.map((reference) => runCounts(reference, LONGEST));
    for (const run of new Set(own.flatMap((counts) => counts.flatMap((each) => [...each.keys()]))))
      having.set(run, (having.get(run) ?? 0) + 1);
    return { candidate: runCounts(candidate, LONGEST), references: own };
  });
  const weigh = (counts: readonly ReadonlyMap<string, number>[]): Weighted => {
    const weights = counts.map(
      (own) =>
        new Map(
          [...own].map(([run, count]) => [
            run,
            count * (Math.log(judged.length) - Math.log(Math.max(1, having.get(run) ?? 0))),
          ]),
        ),
    );
    return {
      weights,
      norms: weights.map((own) => Math.sqrt([...own.values()].reduce((sum, weight) => sum + weight ** 2, 0))),
      pairs: [...(counts[1]?.values() ?? [])].reduce((sum, count) => sum + count, 0),
    };
  };
  return counted.map(({ candidate, references }) => {
    const own = weigh(candidate);
    const likeness = references.map((reference) => similarity(own, weigh(reference)));
    return (10 * likeness.reduce((sum, value) => sum + value, 0)) / references.length;
  });
}

/** The mean over n of how alike two texts are in their runs of n words. */
function similarity(own: Weighted, reference: Weighted): number {
  const closeness = Math.exp(-((own.pairs - reference.pairs) ** 2) / (2 * DEVIATION ** 2));
  const perLength = own.weights.map((weights, n) => {
    const lengths = (own.norms[n] ?? 0) * (reference.norms[n] ?? 0);
    let shared = 0;
    for (const [run, weight] of weights) {
      const other = reference.weights[n]?.get(run) ?? 0;
      shared += Math.min(weight, other) * other;
    }
    return lengths === 0 ? 0 : (shared / lengths) * closeness;
  });
  return perLength.reduce((sum, value) => sum + value, 0) / LONGEST;
}
