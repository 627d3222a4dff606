// Whoever compiles these sources needs the types too.
// eslint-disable-next-line @typescript-eslint/triple-slash-reference
/// <reference path="./jstat.d.ts" />
import jStat from 'jstat';

/** A mean over seeds, and how far the seeds lie apart. */
export interface Spread {
  readonly seeds: number;
  readonly mean: number;
  /** Sample standard deviation (n − 1); null for a single seed. */
  readonly deviation: number | null;
}

/** A mean difference over seeds, each seed compared with itself. */
export interface PairedDifference {
  readonly seeds: number;
  readonly mean: number;
  /**
   * Student's interval of the mean difference over the seeds, or that which the size of the test set allows where it is
   * wider; null for a single seed.
   */
  readonly interval: readonly [low: number, high: number] | null;
}

/** The confidence of an interval, and the runs that it rests on. */
export interface Evidence {
  /** Share of such intervals that hold the true difference, as 0.95. */
  readonly confidence: number;
  /** N: examples of the test set, the same ones for both and for every seed. */
  readonly testExamples: number;
}

/** @throws {RangeError} when there are no values. */
export function meanOf(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('expected at least one value, got none');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** @throws {RangeError} when there are no values. */
export function spreadOf(values: readonly number[]): Spread {
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    seeds: values.length,
    mean,
    deviation: values.length < 2 ? null : Math.sqrt(squares / (values.length - 1)),
  };
}

/**
 * `first − second` over the seeds that both have: what the seeds share (the dense model, the order of the data) cancels.
 * Scores are percentages of test examples.
 * @returns undefined when they share no seed.
 */
export function pairedDifference(
  first: ReadonlyMap<number, number>,
  second: ReadonlyMap<number, number>,
  { confidence, testExamples }: Evidence,
): PairedDifference | undefined {
  const differences = [...first].flatMap(([seed, value]) => {
    const other = second.get(seed);
    return other === undefined ? [] : [value - other];
  });
  if (differences.length === 0) return undefined;
  const { seeds, mean, deviation } = spreadOf(differences);
  if (deviation === null) return { seeds, mean, interval: null };
  const share = (1 + confidence) / 2;
  const overSeeds = (studentQuantile(share, seeds - 1) * deviation) / Math.sqrt(seeds);
  const half = Math.max(overSeeds, normalQuantile(share) * leastStandardError(mean, testExamples));
  return { seeds, mean, interval: [mean - half, mean + half] };
}

const PERCENT = 100;

/**
 * The least standard error that a difference between two scores on the same test examples can have, in points of percent,
 * however well seeds agree: seeds draw the training anew, but not the test set.
 *
 * Let n₁₀ of N examples be right with the first model alone, n₀₁ with the second alone. Their difference in percent is
 * d = 100 · (n₁₀ − n₀₁) / N, with the variance of McNemar's paired proportions, 100² · (n₁₀ + n₀₁ − (n₁₀ − n₀₁)² / N) / N². How many
 * examples the two disagree on is not known from scores, but they are at least b = N · |d| / 100, which makes the
 * variance least. As b may be small, or zero where the scores are equal, N and the counts are those of Agresti and Min
 * (2005), half an example more in each of the four cells: 100² · (b + 1 − b² / (N + 2)) / (N + 2)².
 * Source: A. Agresti, Y. Min, "Simple improved confidence intervals for comparing matched proportions", Statistics in
 * Medicine 24 (2005), 729–740.
 */
export function leastStandardError(difference: number, testExamples: number): number {
  const cells = testExamples + 2;
  const apart = Math.min(testExamples, (testExamples * Math.abs(difference)) / PERCENT);
  return (PERCENT * Math.sqrt(apart + 1 - apart ** 2 / cells)) / cells;
}

/** z with P(Z ≤ z) = share, of the normal distribution. */
const normalQuantile = (share: number): number => jStat.jStat.normal.inv(share, 0, 1);

/** Fewest seeds for a verdict. With two, the deviation is a single difference: chance makes it as small as it likes. */
export const FEWEST_SEEDS = 3;

/** t with P(T ≤ t) = share. */
export const studentQuantile = (share: number, degreesOfFreedom: number): number =>
  jStat.jStat.studentt.inv(share, degreesOfFreedom);

/** 1 or −1 where the interval of at least three seeds says which of the two is greater, otherwise 0. */
export function verdictOf({ seeds, interval }: PairedDifference): -1 | 0 | 1 {
  if (interval === null || seeds < FEWEST_SEEDS) return 0;
  const [low, high] = interval;
  if (low > 0) return 1;
  return high < 0 ? -1 : 0;
}
