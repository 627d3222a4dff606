import type { Progress } from '@winnow/lab';
import { type Output, print } from './terminal';

/** A line at most this often. */
const INTERVAL_MS = 5000;

/** Progress for a log: a line now and then, and one at the end of a phase. */
export function lineProgress(output: Output, now: () => number = () => performance.now()): Progress {
  let lastMs = now();
  return {
    note: (line) => {
      print(output, line);
    },
    phase: ({ phase, steps, from }) => {
      print(output, `${phase}: ${steps} steps${from === 0 ? '' : `, going on after step ${from}`}`);
      lastMs = now();
    },
    step: ({ phase, step, steps, loss }, { imagesPerSecond, remainingSeconds }) => {
      if (step < steps && now() - lastMs < INTERVAL_MS) return;
      lastMs = now();
      const left = step < steps ? `, ${Math.ceil(remainingSeconds)} s left` : '';
      print(
        output,
        `${phase}: step ${step}/${steps}, loss ${loss.toFixed(4)}, ${imagesPerSecond.toFixed(0)} images/s${left}`,
      );
    },
    close: () => undefined,
  };
}
