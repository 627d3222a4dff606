/** Ways in which the pruned share grows over the search (UPop, Appendix C.2, Table 14). */
export const progressSchedules = ['cosine', 'uniform', 'quadratic'] as const;
export type ProgressSchedule = (typeof progressSchedules)[number];

/**
 * p_t / p after step t of T: 0 … 1, and exactly 1 at the last step, so that pruned masks end at exactly 0.
 * `cosine` is Eq. 18 counted from t + 1 as in the published code, `uniform` Eq. 14, `quadratic` the second row of
 * Table 14, counted from t + 1 because as printed it ends below 1.
 */
export function progress(schedule: ProgressSchedule, step: number, steps: number): number {
  if (step >= steps - 1) return 1;
  const done = step + 1;
  switch (schedule) {
    case 'cosine':
      return Math.sqrt(0.5 * (1 - Math.cos((Math.PI * done) / steps)));
    case 'uniform':
      return step / (steps - 1);
    case 'quadratic':
      return ((2 * steps - done + 1) * done) / ((steps + 1) * steps);
    default:
      return schedule satisfies never;
  }
}

/** Steps between mask updates: one update moves p by about 1 % (Appendix C.3), unless a number is asked for. */
export function maskInterval(asked: number, steps: number, removedShare: number): number {
  if (asked > 0) return asked;
  return Math.max(1, Math.round(steps / Math.max(1, 100 * removedShare)));
}
