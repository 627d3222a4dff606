import { setTimeout as delay } from 'node:timers/promises';
import { type ComparisonPlan, type DensePoint, type Job, jobOf } from '@winnow/comparison';
import { InterruptedError } from '@winnow/core';
import { FormatError } from '@winnow/formats';
import { type JobQueue, JobFailed } from '@winnow/job-queue';
import type { JobCount } from '../progress/job-progress';
import { type ComparisonFolder, isDone, weightsDigest } from './comparison-folder';

/**
 * Has every job done that is not done yet: dense models first, and the compressions of each as soon as it is there.
 * @returns the job of every point, in the plan's order; none where its dense model failed.
 * @param shownAfterMs How long results of a job that is said to be done may take to be seen here, in milliseconds.
 * @throws {InterruptedError} when it was stopped.
 */
export async function runComparison(
  { dense, points }: ComparisonPlan,
  folder: ComparisonFolder,
  queue: JobQueue,
  report: (standing: JobCount, text: string) => void,
  { shownAfterMs = SHOWN_AFTER_MS }: { readonly shownAfterMs?: number } = {},
): Promise<readonly (Job | undefined)[]> {
  const jobs = new Map<(typeof points)[number], Job>();
  const ends = new Map<string, boolean>();
  // Equal points are one job: what a point asks of which dense model tells them apart before that model is there.
  const distinct = new Set(points.map((point) => jobOf(point, point.dense.job.id).id));
  const all = dense.length + distinct.size;
  const standing = (): JobCount => {
    const failed = [...ends.values()].filter((isGood) => !isGood).length;
    return { done: ends.size - failed, failed, all };
  };
  const perform = async (job: Job, what: string): Promise<boolean> => {
    if (await isDone(folder, job)) {
      ends.set(job.id, true);
      return true;
    }
    try {
      await queue.submit(job.id);
      // A queue says that a job is done; only its results do so for sure.
      if (!(await appears(folder, job, shownAfterMs))) throw new JobFailed(NO_RESULT);
      ends.set(job.id, true);
      report(standing(), `${what}: done`);
      return true;
    } catch (error) {
      if (!(error instanceof JobFailed)) throw error;
      ends.set(job.id, false);
      report(standing(), `${what}: FAILED: ${error.message}`);
      return false;
    }
  };
  const compressions = async (from: DensePoint): Promise<void> => {
    const own = points.filter(({ dense }) => dense.job.id === from.job.id);
    const what = `${from.workload}, seed ${from.seed}, dense`;
    if (!(await perform(from.job, what))) return;
    const digest = await weightsDigest(folder.runFolder(from.job.id)).catch((error: unknown) => {
      if (!(error instanceof FormatError)) throw error;
      ends.set(from.job.id, false);
      report(standing(), `${what}: FAILED: ${error.message}`);
    });
    if (digest === undefined) return;
    const named = own.map((point) => ({ point, job: jobOf(point, digest) }));
    for (const { point, job } of named) jobs.set(point, job);
    await settled(
      [...new Map(named.map((each) => [each.job.id, each])).values()].map(({ point, job }) => {
        const { workload, track, budget, label } = point.contender;
        return perform(job, `${workload}, seed ${point.seed}, ${track}, ${budget}, ${label}`);
      }),
    );
  };
  await settled(dense.map(compressions));
  return points.map((point) => jobs.get(point));
}

const NO_RESULT =
  'the queue says that it is done, but its results are not here: all workers must see the same folder, at the same path';

/** Disks that machines share may show a file some time after it was written. */
const SHOWN_AFTER_MS = 30_000;
const LOOK_MS = 500;

async function appears(folder: ComparisonFolder, job: Job, withinMs: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < withinMs; waitedMs += LOOK_MS) {
    if (await isDone(folder, job)) return true;
    await delay(LOOK_MS);
  }
  return isDone(folder, job);
}

/** Waits for all, also when some reject: a queue must not be left with jobs that nobody waits for. */
async function settled(work: readonly Promise<unknown>[]): Promise<void> {
  const ends = await Promise.allSettled(work);
  const reasons = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
  const fault = reasons.find((reason) => !(reason instanceof InterruptedError)) ?? reasons[0];
  if (fault !== undefined) throw fault;
}
