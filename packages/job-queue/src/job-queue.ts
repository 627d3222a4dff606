import type { Json } from '@winnow/core';

/** Something to be done once. Jobs with the same id are the same job. */
export interface QueuedJob {
  readonly id: string;
  readonly payload: Json;
}

/**
 * Does a job, wherever the queue brings it. It rejects when the job failed, and should stop and reject soon after the
 * signal: then the job is not done, and somebody else may go on with it.
 */
export type Execute = (job: QueuedJob, signal: AbortSignal) => Promise<void>;

/** Has jobs done, each by one worker at a time. */
export interface JobQueue {
  /**
   * Has a job done; asking again for one that is on its way waits for the same.
   * @throws {JobFailed} with what the job's own error said.
   * @throws {InterruptedError} when the signal of the queue was aborted first.
   */
  submit(job: QueuedJob): Promise<void>;
  /** Lets go of connections and timers. Jobs that others work on go on. */
  close(): Promise<void>;
}

/** A job ended in an error; the others go on. */
export class JobFailed extends Error {
  override readonly name = 'JobFailed';
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
