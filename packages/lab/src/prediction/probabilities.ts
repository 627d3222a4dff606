/** One of the things that a model tells apart, with its probability for a picture. */
export interface Guess {
  /** Name of the class, or the text; the number where the classes have no names. */
  readonly name: string;
  /** Its place among the logits, from 0. */
  readonly index: number;
  /** From 0 to 1; those of all classes or texts add up to 1. */
  readonly probability: number;
}

/**
 * The likeliest guesses for one picture, the best first and of equal ones the first: the softmax of its logits.
 * @param logits One for each name, all finite.
 */
export function likeliest(logits: ArrayLike<number>, names: readonly string[], top: number): Guess[] {
  const values = names.map((_, index) => logits[index] ?? Number.NaN);
  const highest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const weights = values.map((logit) => Math.exp(logit - highest)); // at most 1: none overflows
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return names
    .map((name, index) => ({ name, index, probability: (weights[index] ?? Number.NaN) / total }))
    .sort((a, b) => (values[b.index] ?? 0) - (values[a.index] ?? 0) || a.index - b.index)
    .slice(0, top);
}
