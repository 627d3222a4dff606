import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Options } from '@winnow/comparison';
import { InterruptedError } from '@winnow/core';
import { writeAtomically } from '@winnow/formats';
import { type Execute, JobBusy } from '@winnow/job-queue';
import { lock } from 'proper-lockfile';
import { z } from 'zod';
import { packageFile } from '../package-folder';
import { RunBusyError } from '../run-folder/run-lock';
import { type ComparisonFolder, clearFailure, isDone, writeFailure } from './comparison-folder';
import { type KnownJobs, knownJobs } from './known-jobs';
import { QUEUE_PASSWORD } from './queue-address';

/** A holder of a lease that has been silent for so long is dead, or at least not to be waited for. */
const LEASE_STALE_MS = 10_000;
const LEASE_RENEW_MS = 2000;
/** Most characters that are kept of what a failed process said. */
const LONGEST_MESSAGE = 4000;

/**
 * Does a job of a comparison as a process of its own, in the job's run folder. The lease in the comparison's folder is
 * what makes it the only one: queues may hand a job out twice, when a worker seems dead and is not. Only jobs of the
 * comparison's plan are done, as the plan has them.
 */
export function executeIn(comparison: ComparisonFolder, known: KnownJobs = knownJobs(comparison)): Execute {
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
        ...job.options,
        ...(dense === undefined ? {} : { from: comparison.runFolder(dense) }),
      };
      const config = comparison.configFile(job.id);
      await writeAtomically(config, `${JSON.stringify(options, undefined, 2)}\n`);
      const out = comparison.runFolder(job.id);
      const resume = existsSync(join(out, 'config.json')) ? ['--resume'] : [];
      const failure = await runProgram(
        [command, '--config', config, '--out', out, ...resume],
        AbortSignal.any([signal, lost.signal]),
      );
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

/**
 * Runs the command line as a child that ends when this process does.
 * @returns what it complained about, when it failed.
 * @throws {InterruptedError} when it was stopped by the signal.
 * @throws {JobBusy} when another process works in the run folder: the child of a worker that is silent, say.
 */
async function runProgram(args: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  const { [QUEUE_PASSWORD]: _password, ...environment } = process.env;
  const child = spawn(process.execPath, [packageFile('dist', 'main.js'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: environment,
  });
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-LONGEST_MESSAGE);
  });
  const stop = () => {
    child.kill('SIGTERM');
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    const [code, killedBy]: unknown[] = await once(child, 'close');
    if (code === 0) return undefined;
    if (signal.aborted) throw new InterruptedError();
    if (code === RunBusyError.exitCode) throw new JobBusy('another process is working on its run');
    return messageIn(complaint) ?? `the run ended with ${String(code ?? killedBy)}: ${complaint.trim()}`;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Finds what the command line said to the user, or the error that it ended with, without progress in front. */
function messageIn(complaint: string): string | undefined {
  const told = /^winnow: ([\s\S]*)$/m.exec(complaint)?.[1];
  const fault = /^(?:\w*Error: |\w*Error$)[\s\S]*$/m.exec(complaint)?.[0];
  return (told ?? fault)?.trim();
}
