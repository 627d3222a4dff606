/** Examples per second of the last steps, without the time of scoring and saving between them. */
export interface Throughput {
  /** A step begins now: what went before does not count. */
  start(): void;
  /** A step has ended. */
  step(examples: number): number;
}

/** The weight of the newest step; the first ones are slow and should be forgotten soon. */
const NEWEST = 0.1;

export function throughput(now: () => number = () => performance.now()): Throughput {
  let startedMs = now();
  let average: number | undefined;
  return {
    start: () => {
      startedMs = now();
    },
    step: (examples) => {
      const endedMs = now();
      const rate = (1000 * examples) / Math.max(endedMs - startedMs, 1e-3);
      startedMs = endedMs;
      average = average === undefined ? rate : 1 / ((1 - NEWEST) / average + NEWEST / rate);
      return average;
    },
  };
}
