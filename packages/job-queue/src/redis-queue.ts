import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { InterruptedError } from '@winnow/core';
import { JobFailed, type JobQueue, checkId } from './job-queue';
import { checkRedis, connectionTo } from './redis-connection';

export interface RedisQueueOptions {
  readonly url: string;
  /** Queues of other names on the same server have nothing to do with this one. */
  readonly name: string;
  readonly signal: AbortSignal;
  /** Time between looks at a job, in milliseconds. */
  readonly pollMs?: number;
}

const POLL_MS = 1000;
/** Longest reason that a failed job may give, in characters: it comes from outside. */
const LONGEST_REASON = 4000;

/** BullMQ refuses ids that are numbers. */
const bullId = (id: string): string => `job-${id}`;

/**
 * Jobs in Redis or Valkey, done by workers (`workOn`) in other processes and on other machines. Nothing is trusted to
 * stay on the server: every job is looked for again and again, and put back when a server came up empty.
 * @throws {UserError} when no server answers.
 */
export async function redisQueue({
  url,
  name,
  signal,
  pollMs = POLL_MS,
}: RedisQueueOptions): Promise<JobQueue> {
  await checkRedis(url);
  const { Queue } = await import('bullmq');
  const queue = new Queue(name, { connection: connectionTo(url) });
  // Connections come and go; what matters is found out at the next look.
  queue.on('error', () => undefined);
  // Every job that is waited for listens.
  setMaxListeners(0, signal);
  const known = new Map<string, Promise<void>>();

  const add = (id: string) => queue.add('run', { id }, { jobId: bullId(id) });

  /** Ends left over from an earlier process: it was not done then, or this one would not ask for it. */
  const begin = async (id: string): Promise<void> => {
    const old = await queue.getJob(bullId(id));
    if (old !== undefined && (await old.isFailed().then(async (failed) => failed || old.isCompleted()))) {
      await old.remove();
    }
    await add(id);
  };

  const follow = async (id: string): Promise<void> => {
    checkId(id);
    await begin(id);
    for (;;) {
      try {
        await delay(pollMs, undefined, { signal });
      } catch {
        throw new InterruptedError();
      }
      const found = await queue.getJob(bullId(id));
      if (found === undefined) {
        await add(id);
        continue;
      }
      const state = await found.getState();
      if (state === 'failed') {
        // What was read above may be older than the state.
        const ended = await queue.getJob(bullId(id));
        throw new JobFailed(String(ended?.failedReason ?? found.failedReason).slice(0, LONGEST_REASON));
      }
      if (state === 'completed') return;
    }
  };

  return {
    submit: (id) => {
      const started = known.get(id) ?? follow(id);
      known.set(id, started);
      return started;
    },
    close: async () => {
      await queue.close();
    },
  };
}
