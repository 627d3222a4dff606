/** One of the things that a model tells apart, with its probability for a picture. */
export interface Guess {
  /** Name of the class, or the text; the number where the classes have no names. */
  readonly name: string;
  /** Its place among the logits, from 0. */
  readonly index: number;
  /** From 0 to 1; those of all classes or texts add up to 1 where they exclude each other. */
  readonly probability: number;
}

/**
 * Whether only one of the guesses for a picture is right (`exclusive`: softmax), or each is right or wrong by itself
 * (`independent`: the sigmoid of its logit, as SigLIP is trained; Zhai et al., 2023, Section 3.2).
 */
export type Exclusion = 'exclusive' | 'independent';

/**
 * The likeliest guesses for one picture, the best first and of equal ones the first.
 * @param logits One for each name, all finite.
 */
export function likeliest(
  logits: ArrayLike<number>,
  names: readonly string[],
  top: number,
  exclusion: Exclusion = 'exclusive',
): Guess[] {
  const values = names.map((_, index) => logits[index] ?? Number.NaN);
  const probabilities = probabilitiesOf(values, exclusion);
  return names
    .map((name, index) => ({ name, index, probability: probabilities[index] ?? Number.NaN }))
    .sort((a, b) => (values[b.index] ?? 0) - (values[a.index] ?? 0) || a.index - b.index)
    .slice(0, top);
}

function probabilitiesOf(logits: readonly number[], exclusion: Exclusion): readonly number[] {
  switch (exclusion) {
    case 'exclusive': {
      const highest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
      const weights = logits.map((logit) => Math.exp(logit - highest)); // at most 1: none overflows
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      return weights.map((weight) => weight / total);
    }
    case 'independent':
      return logits.map((logit) => 1 / (1 + Math.exp(-logit)));
    default:
      return exclusion satisfies never;
  }
}
