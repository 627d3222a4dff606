/** A relaxed winning ticket keeps this share of the dense model's score (slides, Table 1). */
export const RELAXED_SHARE = 0.99;

/** Statistics of several trainings with different seeds. */
export interface Sample {
  readonly count: number;
  readonly mean: number;
  /** Sample standard deviation, n − 1 in its denominator; 0 of a single score. */
  readonly deviation: number;
}

/** Whether a ticket wins, by two rules: in the slides' own Table 1 three of eight columns pass only by the second. */
export interface Verdict extends Sample {
  /** Mean of the ticket's scores as a share of the dense model's mean; null where that is 0. */
  readonly relative: number | null;
  /** Mean ≥ 99 % of the dense mean. */
  readonly isRelaxedWinning: boolean;
  /** Mean + one standard deviation ≥ 99 % of the dense mean. */
  readonly isWithinDeviation: boolean;
}

/** @throws {RangeError} when there are no scores. */
export function sampleOf(scores: readonly number[]): Sample {
  if (scores.length === 0) throw new RangeError('expected at least one score');
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  return {
    count: scores.length,
    mean,
    deviation: scores.length === 1 ? 0 : Math.sqrt(squares / (scores.length - 1)),
  };
}

/**
 * Judges a ticket by scores of which higher is better.
 * @throws {RangeError} when either has no scores.
 */
export function verdictOf(scores: readonly number[], dense: readonly number[]): Verdict {
  const ticket = sampleOf(scores);
  const { mean } = sampleOf(dense);
  const bar = RELAXED_SHARE * mean;
  return {
    ...ticket,
    relative: mean === 0 ? null : ticket.mean / mean,
    isRelaxedWinning: ticket.mean >= bar,
    isWithinDeviation: ticket.mean + ticket.deviation >= bar,
  };
}
