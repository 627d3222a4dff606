import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { InterruptedError } from '@winnow/core';
import type { ProofFacts, ProofJob } from './job';

type Reply =
  | { readonly kind: 'facts'; readonly facts: ProofFacts }
  | { readonly kind: 'failure'; readonly message: string };

/** The program, beside this one where it has been built, or where the build puts it. */
const programIfBuilt = (): string | undefined =>
  ['./runtime-process.js', '../../dist/runtime-process.js']
    .map((name) => fileURLToPath(new URL(name, import.meta.url)))
    .find((path) => existsSync(path));

/** Whether ONNX Runtime is installed here, with the program that runs files in it. */
export function hasRuntime(): boolean {
  if (programIfBuilt() === undefined) return false;
  try {
    createRequire(import.meta.url).resolve('onnxruntime-node');
    return true;
  } catch {
    return false;
  }
}

function builtProgram(): string {
  const found = programIfBuilt();
  if (found === undefined)
    throw new Error('the program that runs ONNX files has not been built: npm run setup');
  return found;
}

/**
 * Reads files and runs them in ONNX Runtime, in a process of its own: nothing of the engine is there.
 * @param signal Stops it.
 * @throws {InterruptedError} when the signal says so.
 * @throws {Error} when a file cannot be read or run, or the process ends without an answer.
 */
export function proveApart(job: ProofJob, signal?: AbortSignal): Promise<ProofFacts> {
  const program = builtProgram();
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(new InterruptedError());
      return;
    }
    const child = fork(program, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    });
    const stop = (): void => {
      reject(new InterruptedError());
      child.kill('SIGKILL');
    };
    signal?.addEventListener('abort', stop, { once: true });
    let said = '';
    child.stderr?.on('data', (text: Buffer) => (said = `${said}${text.toString()}`.slice(-2000)));
    child.once('message', (reply: Reply) => {
      if (reply.kind === 'facts') resolve(reply.facts);
      else reject(new Error(`ONNX Runtime: ${reply.message}`));
    });
    child.once('error', reject);
    child.once('exit', (code, killed) => {
      signal?.removeEventListener('abort', stop);
      reject(
        new Error(`the process of ONNX Runtime has ended with ${killed ?? String(code)}: ${said.trim()}`),
      );
    });
    child.send(job);
  });
}
