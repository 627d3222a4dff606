/** Ways in which the share that is gone grows: by a share of the original weights in every round, or of the survivors. */
export const schedules = ['original-fraction', 'survivor-fraction'] as const;
export type TicketSchedule = (typeof schedules)[number];

/** Far more rounds than anybody trains, far fewer than a tiny fraction would ask for. */
const MOST_ROUNDS = 1000;

/** Absorbs rounding in products of a fraction and a count: 0.1 · 3 is more than 0.3. */
const ROUNDING = 1e-6;

/**
 * Counts those of `total` weights that are gone after each round, up to `removed` of them. Round k leaves 1 − k·fraction of the
 * original weights, or (1 − fraction)^k; the last round takes what is missing, so a run to a higher sparsity begins with
 * the rounds of a run to a lower one, up to the last of these if it is a whole one.
 * @throws {RangeError} when the fraction is not between 0 and 1, or more than a thousand rounds would be needed.
 */
export function roundTargets(
  schedule: TicketSchedule,
  fraction: number,
  total: number,
  removed: number,
): number[] {
  if (!(fraction > 0 && fraction < 1)) {
    throw new RangeError(`expected a fraction between 0 and 1 for each round, got ${fraction}`);
  }
  const targets: number[] = [];
  while ((targets.at(-1) ?? 0) < removed) {
    const after = Math.min(removed, goneAfter(targets.length + 1, schedule, fraction, total));
    // Where a round's share is less than a weight, one goes at least: every round is worth its training.
    targets.push(Math.max(after, (targets.at(-1) ?? 0) + 1));
    if (targets.length > MOST_ROUNDS) {
      throw new RangeError(
        `a fraction of ${fraction} asks for more than ${MOST_ROUNDS} rounds: take more of the weights in each`,
      );
    }
  }
  return targets;
}

function goneAfter(round: number, schedule: TicketSchedule, fraction: number, total: number): number {
  switch (schedule) {
    case 'original-fraction':
      return wholeWeights(total * fraction * round);
    case 'survivor-fraction':
      return wholeWeights(total * (1 - (1 - fraction) ** round));
    default:
      return schedule satisfies never;
  }
}

/** The weights that must go for this many, counted as a real number, to be gone. */
export const wholeWeights = (amount: number): number => Math.ceil(amount - ROUNDING);
