/** A share with an interval that holds it with 95 % confidence. */
export interface ShareInterval {
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/** 97.5 % of a normal distribution lie below. */
const Z = 1.959964;

/** The interval of Wilson (1927) for so many hits of so many trials; it stays within 0 and 1, for all hits and for none too. */
export function wilson(hits: number, trials: number): ShareInterval {
  const share = hits / trials;
  const spread = Z ** 2 / trials;
  const middle = (share + spread / 2) / (1 + spread);
  const reach = (Z / (1 + spread)) * Math.sqrt((share * (1 - share)) / trials + spread / (4 * trials));
  return { share, low: Math.max(0, middle - reach), high: Math.min(1, middle + reach) };
}

/** A median with an interval that holds that of the distribution with 95 % confidence at least. */
export interface Middle {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The median of numbers, and the pair of order statistics around it that a fair coin's binomial distribution asks for: nothing is
 * supposed of how they are distributed. From fewer than six numbers no pair has 95 %: the interval is all of them.
 */
export function middleOf(numbers: readonly number[]): Middle {
  const sorted = [...numbers].sort((a, b) => a - b);
  const n = sorted.length;
  const at = (index: number) => sorted[Math.min(n - 1, Math.max(0, index))] ?? Number.NaN;
  const median = (at(Math.floor((n - 1) / 2)) + at(Math.ceil((n - 1) / 2))) / 2;
  const outside = outsideRanks(n);
  return { median, low: at(outside), high: at(n - 1 - outside) };
}

/**
 * The number of n numbers that may be left out at each end. With k left out, the median lies below those that stay where at most k of them
 * are smaller than it.
 */
function outsideRanks(n: number): number {
  let [probability, below, rank] = [0.5 ** n, 0, 0];
  for (let k = 0; 2 * k < n - 1; k++) {
    below += probability; // P(at most k of n below the median)
    if (below > 0.025) break;
    rank = k + 1;
    probability *= (n - k) / (k + 1);
  }
  return Math.max(0, rank - 1);
}
