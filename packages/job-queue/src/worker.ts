import { once } from 'node:events';
import { type Json, toJson } from '@winnow/core';
import { type Job, WaitingError, Worker } from 'bullmq';
import { z } from 'zod';
import { type Execute, messageOf } from './job-queue';
import { checkRedis, connectionTo } from './redis-connection';

export interface WorkerOptions {
  readonly url: string;
  readonly name: string;
  /** Jobs at a time. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  readonly execute: Execute;
  /** How long a worker may be silent before its jobs go to others, in milliseconds. */
  readonly silenceMs?: number;
  /** Tells what happens. */
  report(text: string): void;
}

const SILENCE_MS = 30_000;
/** A job that takes so many workers with it is the job's own fault. */
const MOST_TAKEOVERS = 5;

const json: z.ZodType<Json> = z.json();
const payloadSchema = z.object({ id: z.string(), payload: json });

/**
 * Does jobs of a queue until the signal. A worker that dies is found out by its silence, and its jobs go to others.
 * @throws {UserError} when no server answers.
 */
export async function workOn({
  url,
  name,
  concurrency,
  signal,
  execute,
  silenceMs = SILENCE_MS,
  report,
}: WorkerOptions): Promise<void> {
  await checkRedis(url);
  const running = new Map<string, AbortController>();

  const process = async (job: Job, token?: string): Promise<void> => {
    const queued = payloadSchema.parse(job.data);
    const controller = new AbortController();
    const stop = () => {
      controller.abort();
    };
    running.set(job.id ?? queued.id, controller);
    signal.addEventListener('abort', stop, { once: true });
    report(`begins ${queued.id}`);
    try {
      await execute({ id: queued.id, payload: toJson(queued.payload) }, controller.signal);
      report(`finished ${queued.id}`);
    } catch (error) {
      if (signal.aborted) {
        // It goes back to the others, whole.
        await job.moveToWait(token);
        throw new WaitingError();
      }
      report(`failed ${queued.id}: ${messageOf(error)}`);
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      running.delete(job.id ?? queued.id);
    }
  };

  const worker = new Worker(name, process, {
    connection: connectionTo(url),
    concurrency,
    lockDuration: silenceMs,
    stalledInterval: silenceMs,
    maxStalledCount: MOST_TAKEOVERS,
  });
  worker.on('error', (error) => {
    report(`connection: ${error.message}`);
  });
  worker.on('lockRenewalFailed', (ids) => {
    // Somebody else may have these by now.
    for (const id of ids) running.get(id)?.abort();
  });
  if (!signal.aborted) await once(signal, 'abort');
  await worker.close();
}
