import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Options } from '@winnow/comparison';
import { InterruptedError, type Json } from '@winnow/core';
import { writeAtomically } from '@winnow/formats';
import type { Execute } from '@winnow/job-queue';
import { lock } from 'proper-lockfile';
import { z } from 'zod';
import { packageFile } from '../package-folder';
import { type ComparisonFolder, clearFailure, isDone, writeFailure } from './comparison-folder';

const json: z.ZodType<Json> = z.json();
const jobSchema = z.object({
  command: z.enum(['train', 'compress']),
  options: z.record(z.string(), json),
  dense: z.string().exactOptional(),
});

/** A holder of a lease that has been silent for so long is dead. */
const LEASE_STALE_MS = 10_000;
const LEASE_RENEW_MS = 2000;
const LEASE_LOOK_MS = 500;
/** Of what a failed process said, in characters. */
const LONGEST_MESSAGE = 4000;

/**
 * Does a job of a comparison as a process of its own, in the job's run folder. The lease in the comparison's folder is
 * what makes it the only one: queues may hand a job out twice, when a worker seems dead and is not.
 */
export function executeIn(comparison: ComparisonFolder): Execute {
  return async (queued, signal) => {
    const { id } = queued;
    const job = jobSchema.parse(queued.payload);
    const lost = new AbortController();
    const release = await lease(comparison.leaseFile(id), signal, () => {
      lost.abort();
    });
    try {
      if (await isDone(comparison, { id })) return;
      await clearFailure(comparison, id);
      const { dense } = job;
      const options: Options = {
        ...job.options,
        ...(dense === undefined ? {} : { from: comparison.runFolder(dense) }),
      };
      await writeAtomically(comparison.configFile(id), `${JSON.stringify(options, undefined, 2)}\n`);
      const out = comparison.runFolder(id);
      const resume = existsSync(join(out, 'config.json')) ? ['--resume'] : [];
      const failure = await runProgram(
        [job.command, '--config', comparison.configFile(id), '--out', out, ...resume],
        AbortSignal.any([signal, lost.signal]),
      );
      if (failure === undefined) return;
      await writeFailure(comparison, id, failure);
      throw new Error(failure);
    } finally {
      await release();
    }
  };
}

/** Waits for the lease, for as long as its holder lives. */
async function lease(file: string, signal: AbortSignal, onLost: () => void): Promise<() => Promise<void>> {
  for (;;) {
    if (signal.aborted) throw new InterruptedError();
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
      await delay(LEASE_LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

const heldSchema = z.looseObject({ code: z.literal('ELOCKED') });

/**
 * Runs the command line as a child that ends when this process does.
 * @returns what it complained about, when it failed.
 * @throws {InterruptedError} when it was stopped by the signal.
 */
async function runProgram(args: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  const child = spawn(process.execPath, [packageFile('dist', 'main.js'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
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
    return messageIn(complaint) ?? `the run ended with ${String(code ?? killedBy)}: ${complaint.trim()}`;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** What the command line said to the user, or the error that it ended with, without progress in front. */
function messageIn(complaint: string): string | undefined {
  const told = /^winnow: ([\s\S]*)$/m.exec(complaint)?.[1];
  const fault = /^(?:\w*Error: |\w*Error$)[\s\S]*$/m.exec(complaint)?.[0];
  return (told ?? fault)?.trim();
}
