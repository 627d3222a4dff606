import { type Job, jobOf } from '@winnow/comparison';
import { FormatError } from '@winnow/formats';
import { type ComparisonFolder, isDone, readComparisonRecord, weightsDigest } from './comparison-folder';
import { planOf } from './open-comparison';

/** Finds jobs of a comparison by their ids. */
export type KnownJobs = (id: string) => Promise<Job | undefined>;

/**
 * The jobs that a comparison's folder knows: those of its plan, made from its record again for every question, as it may
 * have been asked for anew. What is to be done is what the plan says, never what somebody else says of an id.
 */
export function knownJobs(comparison: ComparisonFolder): KnownJobs {
  /** Digests of dense models that are there; the same job always ends in the same weights. */
  const digests = new Map<string, string>();
  const digestOf = async (job: Job): Promise<string | undefined> => {
    if (!(await isDone(comparison, job))) return undefined;
    const digest = digests.get(job.id) ?? (await weightsDigest(comparison.runFolder(job.id)).catch(unread));
    if (digest !== undefined) digests.set(job.id, digest);
    return digest;
  };
  return async (id) => {
    const { dense, points } = planOf(await readComparisonRecord(comparison.folder));
    for (const { job } of dense) if (job.id === id) return job;
    for (const { job } of dense) {
      const digest = await digestOf(job);
      if (digest === undefined) continue;
      for (const point of points) {
        if (point.dense.job.id !== job.id) continue;
        const found = jobOf(point, digest);
        if (found.id === id) return found;
      }
    }
    return undefined;
  };
}

/** One dense model that cannot be read must not hide the jobs of the others. */
function unread(error: unknown): undefined {
  if (!(error instanceof FormatError)) throw error;
  return undefined;
}
