import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { InterruptedError } from '@winnow/core';
import { JobBusy } from '@winnow/job-queue';
import { type MakeRunOfJob, RunBusyError } from '@winnow/lab';
import { QUEUE_PASSWORD } from './queue-address';

/** Most characters that are kept of what a failed process said. */
const LONGEST_MESSAGE = 4000;

/** Makes the runs of a comparison by the command line, as children that end when this process does. */
export const makeRunByCommand =
  (program: string): MakeRunOfJob =>
  ({ command, config, out, resume }, signal) =>
    runProgram(program, [command, '--config', config, '--out', out, ...(resume ? ['--resume'] : [])], signal);

/**
 * Runs the command line as a child.
 * @returns what it complained about, when it failed.
 * @throws {InterruptedError} when it was stopped by the signal.
 * @throws {JobBusy} when another process works in the run folder: the child of a worker that is silent, say.
 */
async function runProgram(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const { [QUEUE_PASSWORD]: _password, ...environment } = process.env;
  const child = spawn(process.execPath, [program, ...args], {
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
