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
  /** Student's interval of the mean difference; null for a single seed. */
  readonly interval: readonly [low: number, high: number] | null;
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
 * @param confidence Share of such intervals that hold the true difference, as 0.95.
 * @returns undefined when they share no seed.
 */
export function pairedDifference(
  first: ReadonlyMap<number, number>,
  second: ReadonlyMap<number, number>,
  confidence: number,
): PairedDifference | undefined {
  const differences = [...first].flatMap(([seed, value]) => {
    const other = second.get(seed);
    return other === undefined ? [] : [value - other];
  });
  if (differences.length === 0) return undefined;
  const { seeds, mean, deviation } = spreadOf(differences);
  if (deviation === null) return { seeds, mean, interval: null };
  const half = (studentQuantile((1 + confidence) / 2, seeds - 1) * deviation) / Math.sqrt(seeds);
  return { seeds, mean, interval: [mean - half, mean + half] };
}

/** t with P(T ≤ t) = share. */
export const studentQuantile = (share: number, degreesOfFreedom: number): number =>
  jStat.jStat.studentt.inv(share, degreesOfFreedom);

/** 1 or −1 where the interval says which of the two is greater, otherwise 0. */
export function verdictOf({ interval }: PairedDifference): -1 | 0 | 1 {
  if (interval === null) return 0;
  const [low, high] = interval;
  if (low > 0) return 1;
  return high < 0 ? -1 : 0;
}
