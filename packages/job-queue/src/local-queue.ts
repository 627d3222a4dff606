import { setTimeout as delay } from 'node:timers/promises';
import { InterruptedError } from '@winnow/core';
import { BUSY_MS, type Execute, JobBusy, JobFailed, type JobQueue, checkId, messageOf } from './job-queue';

export interface LocalQueueOptions {
  /** Jobs at a time. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  readonly execute: Execute;
  /** Time before a job is tried again that somebody else was at, in milliseconds. */
  readonly busyMs?: number;
}

/** Jobs of this process, some at a time, in the order in which they came. */
export function localQueue({ concurrency, signal, execute, busyMs = BUSY_MS }: LocalQueueOptions): JobQueue {
  const known = new Map<string, Promise<void>>();
  const waiting: (() => void)[] = [];
  let running = 0;

  /** @returns whether somebody else was at it. */
  const attempt = async (id: string): Promise<boolean> => {
    if (running >= concurrency) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      if (signal.aborted) throw new InterruptedError();
      await execute(id, signal);
      return false;
    } catch (error) {
      if (signal.aborted) throw new InterruptedError();
      if (error instanceof JobBusy) return true;
      throw new JobFailed(messageOf(error));
    } finally {
      // Whoever waits takes this place; the number of places in use stays.
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };

  const begin = async (id: string): Promise<void> => {
    checkId(id);
    while (await attempt(id)) {
      await delay(busyMs, undefined, { signal }).catch(() => {
        throw new InterruptedError();
      });
    }
  };

  return {
    submit: (id) => {
      const started = known.get(id) ?? begin(id);
      known.set(id, started);
      return started;
    },
    close: () => Promise.resolve(),
  };
}
