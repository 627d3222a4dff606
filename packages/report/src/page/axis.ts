/** The part of an axis that is shown, with its ticks. */
export interface Fitted {
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
}

/** Room on both sides of the outermost points, as a share of what lies between them. */
const PADDING = 0.06;
const FEWEST_TICKS = 5;
const niceSteps = [1, 2, 2.5, 5, 10];

/**
 * An axis that fits its points, with ticks at round numbers.
 * @param leastSpan The least that is shown: small differences are to look small.
 * @param within Bounds that no point passes, such as 0 and 100 percent.
 */
export function fitted(
  values: readonly number[],
  {
    leastSpan,
    within: [lowest, highest] = [-Infinity, Infinity],
  }: {
    readonly leastSpan: number;
    readonly within?: readonly [number, number];
  },
): Fitted {
  const known = values.filter(Number.isFinite);
  const [low, high] = known.length === 0 ? [0, leastSpan] : [Math.min(...known), Math.max(...known)];
  const span = Math.max((high - low) * (1 + 2 * PADDING), leastSpan);
  const step = niceStep(span / FEWEST_TICKS);
  const middle = (low + high) / 2;
  const isOutside = low < lowest || high > highest;
  const bound = (value: number) => (isOutside ? value : Math.min(highest, Math.max(lowest, value)));
  const min = bound(rounded(Math.floor((middle - span / 2) / step) * step));
  const max = bound(rounded(Math.ceil((middle + span / 2) / step) * step));
  const first = Math.ceil(min / step - 1e-9);
  const count = Math.floor(max / step + 1e-9) - first + 1;
  return { min, max, ticks: Array.from({ length: count }, (_, place) => rounded((first + place) * step)) };
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return (niceSteps.find((step) => step * power >= rough * 0.999) ?? 10) * power;
}

const DIGITS = 9;
/** Without what floating point adds to round numbers. */
export const rounded = (value: number): number => Number(value.toPrecision(DIGITS));

/** The most ticks of an axis of ratios. */
const MOST_TICKS = 8;
/** Round numbers within a power of ten, finer and finer. */
const roundNumbers = [
  [1],
  [1, 3],
  [1, 2, 5],
  [1, 1.5, 2, 3, 5, 7],
  [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 8],
];

/**
 * An axis on which equal ratios are equally far apart, in decimal logarithms: half and a quarter of a model are as far apart
 * as the whole and half of it.
 * @param values Positive.
 * @param leastRatio Of the greatest to the least that is shown.
 */
export function fittedRatios(values: readonly number[], leastRatio: number): Fitted {
  const logs = values.filter((value) => value > 0 && Number.isFinite(value)).map(Math.log10);
  const [low, high] = logs.length === 0 ? [0, 1] : [Math.min(...logs), Math.max(...logs)];
  const span = Math.max((high - low) * (1 + 2 * PADDING), Math.log10(leastRatio));
  const [min, max] = [(low + high - span) / 2, (low + high + span) / 2];
  const powers = Array.from(
    { length: Math.ceil(max) - Math.floor(min) + 1 },
    (_, place) => Math.floor(min) + place,
  );
  const choices = roundNumbers.map((round) =>
    powers
      .flatMap((power) => round.map((number) => power + Math.log10(number)))
      .filter((tick) => tick >= min - 1e-9 && tick <= max + 1e-9),
  );
  const fine = choices.filter((ticks) => ticks.length <= MOST_TICKS);
  return { min, max, ticks: fine[fine.length - 1] ?? choices[0] ?? [] };
}
