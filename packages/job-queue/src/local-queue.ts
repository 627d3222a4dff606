import { InterruptedError } from '@winnow/core';
import { type Execute, JobFailed, type JobQueue, type QueuedJob, messageOf } from './job-queue';

export interface LocalQueueOptions {
  /** Jobs at a time. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  readonly execute: Execute;
}

/** Jobs of this process, some at a time, in the order in which they came. */
export function localQueue({ concurrency, signal, execute }: LocalQueueOptions): JobQueue {
  const known = new Map<string, Promise<void>>();
  const waiting: (() => void)[] = [];
  let running = 0;

  const begin = async (job: QueuedJob): Promise<void> => {
    if (running >= concurrency) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      if (signal.aborted) throw new InterruptedError();
      await execute(job, signal);
    } catch (error) {
      if (signal.aborted) throw new InterruptedError();
      throw new JobFailed(messageOf(error));
    } finally {
      // Whoever waits takes this place; the number of places in use stays.
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };

  return {
    submit: (job) => {
      const started = known.get(job.id) ?? begin(job);
      known.set(job.id, started);
      return started;
    },
    close: () => Promise.resolve(),
  };
}
