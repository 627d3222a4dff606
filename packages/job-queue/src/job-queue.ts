/**
 * Does the job of an id, wherever the queue brings it. It rejects when the job failed, and should stop and reject soon
 * after the signal: then the job is not done, and somebody else may go on with it.
 */
export type Execute = (id: string, signal: AbortSignal) => Promise<void>;

/**
 * Has jobs done, each by one worker at a time. A queue carries ids alone, never what is to be done: who does a job knows
 * that from somewhere else, so whoever can write to the queue can at most ask for what is known already.
 */
export interface JobQueue {
  /**
   * Has a job done; asking again for one that is on its way waits for the same.
   * @throws {JobFailed} with what the job's own error said.
   * @throws {InterruptedError} when the signal of the queue was aborted first.
   * @throws {RangeError} when the id is not letters, digits, dashes and underscores.
   */
  submit(id: string): Promise<void>;
  /** Lets go of connections and timers. Jobs that others work on go on. */
  close(): Promise<void>;
}

/** A job ended in an error; the others go on. */
export class JobFailed extends Error {
  override readonly name = 'JobFailed';
}

/** Somebody else is at the job just now: thrown by who should do it, it puts the job back, to be asked for again later. */
export class JobBusy extends Error {
  override readonly name = 'JobBusy';
}

/** Time before a job is tried again that somebody else was at, in milliseconds. */
export const BUSY_MS = 5000;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** An id never means anything to a file system or a terminal. */
export const jobId = /^[\w-]{1,64}$/;

export function checkId(id: string): void {
  if (jobId.test(id)) return;
  throw new RangeError(
    `expected an id of letters, digits, dashes and underscores for a job, got ${JSON.stringify(id)}`,
  );
}
