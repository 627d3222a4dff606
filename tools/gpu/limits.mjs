/** Nobody takes a processor away, and one core of it needs a quarter of an hour for the laws. */
const SLOWER_ON_PROCESSOR = 12;

/**
 * Seconds that a part may take; Infinity where nobody ends it, 0 where no time is left.
 * @param own its seconds on a GPU
 * @param setting whether it runs on a processor, whether a part may take what it needs, and the seconds of all parts together
 * @param spent by the parts before it
 */
export function secondsFor(own, { isOnProcessor, isUnbounded, whole }, spent) {
  const most = isUnbounded ? Infinity : own * (isOnProcessor ? SLOWER_ON_PROCESSOR : 1);
  return Math.max(0, Math.min(most, whole - spent));
}
