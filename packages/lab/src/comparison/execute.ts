import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Job, Options } from '@winnow/comparison';
import { writeAtomically } from '@winnow/formats';
import { type Execute, JobBusy } from '@winnow/job-queue';
import { lock } from 'proper-lockfile';
import { z } from 'zod';
import { type ComparisonFolder, clearFailure, isDone, writeFailure } from './comparison-folder';
import { type KnownJobs, knownJobs } from './known-jobs';

/** A holder of a lease that has been silent for so long is dead, or at least not to be waited for. */
const LEASE_STALE_MS = 10_000;
const LEASE_RENEW_MS = 2000;

/** A run that a comparison asks for. */
export interface RunOfJob {
  readonly command: Job['command'];
  readonly options: Options;
  /** A file with the options. */
  readonly config: string;
  /** The run folder. */
  readonly out: string;
  /** Whether the run has begun already. */
  readonly resume: boolean;
}

/**
 * Makes a run.
 * @returns what went wrong, when it failed.
 * @throws {InterruptedError} when it was stopped by the signal.
 * @throws {JobBusy} when another process works in the run folder.
 */
export type MakeRunOfJob = (run: RunOfJob, signal: AbortSignal) => Promise<string | undefined>;

/**
 * Does a job of a comparison in the job's run folder. The lease in the comparison's folder is
 * what makes it the only one: queues may hand a job out twice, when a worker seems dead and is not. Only jobs of the
 * comparison's plan are done, as the plan has them.
 */
export function executeIn(
  comparison: ComparisonFolder,
  make: MakeRunOfJob,
  known: KnownJobs = knownJobs(comparison),
): Execute {
  return async (id, signal) => {
    const job = await known(id);
    if (job === undefined) {
      throw new Error(
        `${id} is no job of the comparison in ${comparison.folder}: it was asked for by somebody else, or by another version of Winnow`,
      );
    }
    if (await isDone(comparison, job)) return;
    const lost = new AbortController();
    const release = await lease(comparison.leaseFile(job.id), () => {
      lost.abort();
    });
    try {
      if (await isDone(comparison, job)) return;
      await clearFailure(comparison, job.id);
      const { command, dense } = job;
      const options: Options = {
        // Comparisons make many models: prove those that are to be kept.
        ...(command === 'compress' ? { prove: 'none' } : {}),
        ...job.options,
        ...(dense === undefined ? {} : { from: comparison.runFolder(dense) }),
      };
      const config = comparison.configFile(job.id);
      await writeAtomically(config, `${JSON.stringify(options, undefined, 2)}\n`);
      const out = comparison.runFolder(job.id);
      const resume = existsSync(join(out, 'config.json'));
      const stop = AbortSignal.any([signal, lost.signal]);
      const failure = await make({ command, options, config, out, resume }, stop);
      if (failure === undefined) return;
      await writeFailure(comparison, job.id, failure);
      throw new Error(failure);
    } catch (error) {
      // Who was silent for so long that others may have taken the lease stops, and the job is none the worse for it.
      if (lost.signal.aborted && !signal.aborted) throw new JobBusy('its lease was lost to another process');
      throw error;
    } finally {
      await release().catch((error: unknown) => {
        if (!lost.signal.aborted) throw error;
      });
    }
  };
}

/** @throws {JobBusy} while somebody else has the lease. */
async function lease(file: string, onLost: () => void): Promise<() => Promise<void>> {
  try {
    return await lock(file, {
      lockfilePath: file,
      realpath: false,
      stale: LEASE_STALE_MS,
      update: LEASE_RENEW_MS,
      onCompromised: onLost,
    });
  } catch (error) {
    if (!heldSchema.safeParse(error).success) throw error;
    throw new JobBusy('another process has its lease');
  }
}

const heldSchema = z.looseObject({ code: z.literal('ELOCKED') });
