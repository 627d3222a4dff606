import { visibleName } from '@winnow/core';
import type { Progress } from '@winnow/lab';
import { Presets, SingleBar } from 'cli-progress';
import { type Output, print } from './terminal';

const FORMAT =
  '{phase} {bar} {percentage} % | {value}/{total} | loss {loss} | {rate} images/s | {remaining} s left';

/** Progress for a person at a terminal: a bar per phase. */
export function barProgress(output: Output): Progress {
  let bar: SingleBar | undefined;
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  const start = (phase: string, step: number, steps: number) => {
    bar = new SingleBar({ stream: output, format: FORMAT, hideCursor: true, fps: 5 }, Presets.shades_classic);
    bar.start(steps, step, { phase: visibleName(phase).padEnd(8), loss: '–', rate: '–', remaining: '–' });
  };
  return {
    note: (line) => {
      stop();
      print(output, line);
    },
    phase: ({ phase, steps, from }) => {
      stop();
      start(phase, from, steps);
    },
    step: ({ phase, step, steps, loss }, { imagesPerSecond, remainingSeconds }) => {
      if (bar === undefined) start(phase, step, steps);
      bar?.update(step, {
        loss: loss.toFixed(4),
        rate: imagesPerSecond.toFixed(0),
        remaining: Math.ceil(remainingSeconds),
      });
      if (step === steps) stop();
    },
    close: stop,
  };
}
