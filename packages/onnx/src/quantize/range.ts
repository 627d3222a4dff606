/** A scale and a zero point, by which numbers become whole ones from 0 to 255: x ≈ scale · (whole − zeroPoint). */
export interface Range {
  readonly scale: number;
  readonly zeroPoint: number;
}

const STEPS = 255;
/** Shares of the whole range that are tried: what lies beyond is cut off. */
const SHARES = Array.from({ length: 15 }, (_, at) => 1 - 0.05 * at);

/** The range from `low` to `high`; 0 is in it, and exactly one of its numbers. */
export function rangeBetween(low: number, high: number): Range {
  const [from, to] = [Math.min(0, low), Math.max(0, high)];
  const scale = to - from === 0 ? 1 : (to - from) / STEPS;
  return { scale, zeroPoint: Math.round(-from / scale) };
}

/** A number as the range has it. */
export const rounded = (value: number, { scale, zeroPoint }: Range): number =>
  scale * (Math.max(0, Math.min(STEPS, Math.round(value / scale) + zeroPoint)) - zeroPoint);

/** The range with the least mean squared error on a sample: rare large numbers may be cut off where the others gain by it. */
export function bestRange(sample: readonly number[], low: number, high: number): Range {
  let best = rangeBetween(low, high);
  let least = Infinity;
  for (const share of SHARES) {
    const range = rangeBetween(share * low, share * high);
    let error = 0;
    for (const value of sample) error += (value - rounded(value, range)) ** 2;
    if (error < least) [best, least] = [range, error];
  }
  return best;
}
