import { UserError } from '../error/user-error';
import { compactModel } from '../compact/compact';
import type { Decision } from '../decision/decision';
import type { Model } from '../families/model';
import { type LatencyTable, predictedMs } from './latency-table';

/** A share of a model's latency, as a share of its multiply–accumulates. */
export interface TimedShare {
  /** Share of the multiply–accumulates that stays. */
  readonly macs: number;
  /** Share of the latency that is predicted for it. */
  readonly latency: number;
}

type Described = Pick<Model, 'sites' | 'account'>;

/** Halvings of an interval of shares: finer than one unit of any layer. */
const HALVINGS = 24;

/**
 * The most multiply–accumulates that fit a share of the dense model's latency, where every layer keeps the same share of its
 * units. A method that keeps more here and less there takes about as long.
 * @throws {UserError} when the share is not in (0, 1], or even one unit in every layer takes longer.
 */
export function macsWithin(model: Model, table: LatencyTable, keep: number): TimedShare {
  const { macs, latency } = fitting(model, table, keep);
  return { macs, latency };
}

/** With the share of units that every layer keeps. */
function fitting(model: Model, table: LatencyTable, keep: number): TimedShare & { readonly share: number } {
  if (!(keep > 0 && keep <= 1))
    throw new UserError(`expected a budget that keeps more than 0 and at most 1 of the latency, got ${keep}`);
  const latencyOf = (share: number): number => predictedMs(table, unitsOf(model, share)) / table.denseMs;
  const least = latencyOf(0);
  if (keep < least)
    throw new UserError(
      `a budget of ${percent(keep)} of the latency cannot be reached: one unit in every layer leaves ${percent(least)}, as what cannot be cut takes its time. Ask for at least that.`,
    );
  let [fits, above] = [0, 1];
  if (latencyOf(1) <= keep) fits = 1;
  for (let halving = 0; halving < HALVINGS && fits < 1; halving++) {
    const middle = (fits + above) / 2;
    if (latencyOf(middle) <= keep) fits = middle;
    else above = middle;
  }
  const { account } = compactModel(model, evenly(model, fits));
  return { macs: account.macs / model.account.macs, latency: latencyOf(fits), share: fits };
}

/** Models that are timed at most, and the share of the budget that one has to use for none other to be tried. */
const MOST_TRIES = 6;
const CLOSE = 0.97;

/**
 * The same, tried out: models of even widths are timed until one uses most of the budget, and the largest that kept to it is
 * taken; its latency is what was measured. Layers in a model may cost more or less than the table says, and a measurement that
 * something else on the machine disturbed is made up for by the next.
 * @param timed Measures the share of the dense model's latency that a decision leaves.
 * @returns the smallest that was tried, where none kept to the budget.
 * @throws {UserError} as `macsWithin`.
 */
export async function macsThatFit(
  model: Model,
  table: LatencyTable,
  keep: number,
  timed: (decision: Decision) => Promise<number>,
): Promise<TimedShare> {
  const least = predictedMs(table, unitsOf(model, 0)) / table.denseMs;
  let fits = least;
  let exceeds: number | undefined;
  let asked = keep;
  let best: TimedShare | undefined;
  for (let tried = 1; ; tried++) {
    const { macs, latency, share } = fitting(model, table, asked);
    const measured = await timed(evenly(model, share));
    const own = { macs, latency: measured };
    if (measured > keep) exceeds = asked;
    else {
      fits = asked;
      if (best === undefined || macs > best.macs) best = own;
      if (measured >= CLOSE * keep || share === 1) return best;
    }
    if (tried === MOST_TRIES || asked <= least) return best ?? own;
    const guess = Math.min(1, (latency * keep) / measured);
    asked = guess > fits && guess < (exceeds ?? 2) ? guess : (fits + (exceeds ?? 1)) / 2;
  }
}

/** Units that stay, by site: the same share of each, and at least one. */
const unitsOf = ({ sites }: Described, share: number): Record<string, number> =>
  Object.fromEntries(sites.map(({ id, units }) => [id, Math.max(1, Math.floor(share * units))]));

/** Any units do: an account asks only how many. */
function evenly(model: Described, share: number): Decision {
  const kept = unitsOf(model, share);
  return {
    version: 1,
    sites: Object.fromEntries(
      model.sites.map(({ id, units }) => [
        id,
        { kind: 'keep', kept: Array.from({ length: kept[id] ?? units }, (_, unit) => unit), units },
      ]),
    ),
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
