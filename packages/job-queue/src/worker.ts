import { once } from 'node:events';
import type { Job } from 'bullmq';
import { z } from 'zod';
import { BUSY_MS, type Execute, JobBusy, jobId, messageOf } from './job-queue';
import { checkRedis, connectionFault, connectionTo } from './redis-connection';

export interface WorkerOptions {
  readonly url: string;
  readonly name: string;
  /** Jobs at a time. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  readonly execute: Execute;
  /** The time that a worker may be silent before its jobs go to others, in milliseconds. */
  readonly silenceMs?: number;
  /** Time before a job is tried again that somebody else was at, in milliseconds. */
  readonly busyMs?: number;
  /** Tells what happens. */
  report(text: string): void;
}

const SILENCE_MS = 30_000;
/** A job that takes so many workers with it is the job's own fault. */
const MOST_TAKEOVERS = 5;

/** All that is read of a job: whoever can write to the server decides what stands there. */
const dataSchema = z.object({ id: z.string().regex(jobId) });

/**
 * Does jobs of a queue until the signal. A worker that dies is found out by its silence, and its jobs go to others; one
 * that was only silent gives them up when it wakes.
 * @throws {UserError} when no server answers.
 */
export async function workOn({
  url,
  name,
  concurrency,
  signal,
  execute,
  silenceMs = SILENCE_MS,
  busyMs = BUSY_MS,
  report,
}: WorkerOptions): Promise<void> {
  await checkRedis(url);
  const { DelayedError, WaitingError, Worker } = await import('bullmq');
  /** By the server's name of the job. */
  const running = new Map<unknown, AbortController>();
  const told = new Set<string>();

  const process = async (job: Job, token?: string): Promise<void> => {
    const parsed = dataSchema.safeParse(job.data);
    if (!parsed.success) {
      report('refused a job whose id is not letters, digits, dashes and underscores');
      throw new Error('expected an id of letters, digits, dashes and underscores');
    }
    const { id } = parsed.data;
    const controller = new AbortController();
    const stop = () => {
      controller.abort();
    };
    running.set(job.id, controller);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    if (!told.has(id)) report(`begins ${id}`);
    try {
      await execute(id, controller.signal);
      report(`finished ${id}`);
    } catch (error) {
      if (signal.aborted) {
        // It goes back to the others, whole.
        await job.moveToWait(token);
        throw new WaitingError();
      }
      if (controller.signal.aborted) {
        // Others have it by now: it is not for this worker to say what becomes of it.
        report(`gave up ${id}: this worker was silent for too long`);
        throw new WaitingError();
      }
      if (error instanceof JobBusy) {
        if (!told.has(id)) report(`puts ${id} back: ${error.message}`);
        told.add(id);
        await job.moveToDelayed(Date.now() + busyMs, token);
        throw new DelayedError();
      }
      report(`failed ${id}: ${messageOf(error)}`);
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      running.delete(job.id);
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
    report(`connection: ${connectionFault(error, url)}`);
  });
  worker.on('lockRenewalFailed', (ids) => {
    // Somebody else may have these by now.
    for (const id of ids) running.get(id)?.abort();
  });
  if (!signal.aborted) await once(signal, 'abort');
  await worker.close();
}
