import type { JobCount, JobProgress } from '@winnow/lab';
import { Presets, SingleBar } from 'cli-progress';
import { duration } from './report/format';
import { type Output, print } from './terminal';

/**
 * A line for each job that has ended, with an estimate of the time that is left; at a terminal a bar below them. The pace
 * is that of the jobs that ended here: what an earlier process had done says nothing about it.
 */
export function jobProgress(output: Output, now: () => number = () => performance.now()): JobProgress {
  const startMs = now();
  let endedHere = 0;
  let bar: SingleBar | undefined;
  const leftIn = ({ done, failed, all }: JobCount): string => {
    if (done + failed >= all) return '';
    const seconds = ((now() - startMs) / 1000 / endedHere) * (all - done - failed);
    return `about ${duration(seconds)} left`;
  };
  return {
    ended: (count, text) => {
      const { done, failed, all } = count;
      endedHere += 1;
      const left = leftIn(count);
      const failures = failed === 0 ? '' : ` (${failed} failed)`;
      bar?.stop();
      bar = undefined;
      print(output, `${done + failed}/${all}${failures} ${text}${left === '' ? '' : `; ${left}`}`);
      if (output.isTTY !== true || done + failed >= all) return;
      const format = `{bar} {percentage} % | {value}/{total} runs | ${left}`;
      bar = new SingleBar({ stream: output, format, hideCursor: true, fps: 5 }, Presets.shades_classic);
      bar.start(all, done + failed);
    },
    close: () => {
      bar?.stop();
    },
  };
}
