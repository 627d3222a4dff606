import { middleOf } from '@winnow/core';

/** The outcome of some rounds by turns. */
export interface Measured {
  /** Medians of each, in milliseconds. */
  readonly medians: readonly number[];
  /** A sentence on how many times faster the last is than the first; empty for one alone. */
  readonly says: string;
}

const WARM_UP = 2;

/**
 * Times by turns, so that whatever else the device does meets all of them.
 * @param runs Each makes one round and tells its time, in milliseconds.
 * @param afterRound Lets the page be drawn.
 */
export async function measuredByTurns(
  runs: readonly (() => Promise<number>)[],
  rounds: number,
  afterRound: (round: number) => Promise<void>,
): Promise<Measured> {
  const times: number[][] = runs.map(() => []);
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const [at, run] of runs.entries()) {
      const ms = await run();
      if (round >= 0) times[at]?.push(ms);
    }
    await afterRound(Math.max(0, round + 1));
  }
  const medians = times.map((own) => middleOf(own).median);
  const [first = [], last] = [times[0], times.length > 1 ? times[times.length - 1] : undefined];
  return { medians, says: last === undefined ? '' : comparisonOf(first, last) };
}

/** Faster, slower or neither, by the interval of the ratio of each round: nothing is supposed of how times are distributed. */
export function comparisonOf(dense: readonly number[], smaller: readonly number[]): string {
  const { median, low, high } = middleOf(smaller.map((ms, round) => (dense[round] ?? Number.NaN) / ms));
  const range = `${median.toFixed(2)}× (95 %: ${low.toFixed(2)} to ${high.toFixed(2)}, ${smaller.length} rounds by turns)`;
  if (low > 1) return `The smaller model is faster: ${range}.`;
  return high < 1 ? `The smaller model is slower: ${range}.` : `No faster: ${range}.`;
}
