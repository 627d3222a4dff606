import { Readable, Writable } from 'node:stream';
import { runCli } from '../src/cli';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The line of a compression that was proved in all parts. */
export const PROVED =
  'Proved in ONNX Runtime: files, labels, decision, weights, widths, counts, outputs, batch, agreement, latency. The certificate is';

/** A small cut by UPop that ends in such a proof. */
export const UPOP_PROVED = ['--method', 'upop', '--budget', '1.2x', '--prove', 'full'];

/** Runs a command in this process. Compressions are proved where a test says so: hundreds of proofs take minutes. */
export async function winnow(
  asked: readonly string[],
  signal = new AbortController().signal,
  stdin: AsyncIterable<string | Uint8Array> = Readable.from([]),
): Promise<Outcome> {
  const [stdout, stderr] = [screen(false), screen(false)];
  const isUnproved = asked[0] === 'compress' && !asked.includes('--prove');
  const args = isUnproved ? [...asked, '--prove', 'none'] : asked;
  const code = await runCli(args, { stdout: stdout.stream, stderr: stderr.stream, stdin, signal });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

/** A stream that remembers what was written to it. */
export function screen(isTTY: boolean): { stream: Writable & { isTTY: boolean }; text(): string } {
  const chunks: string[] = [];
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      chunks.push(String(chunk));
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY }), text: () => chunks.join('') };
}

/** A signal that is looked at once per training step; `onLook` is told how often it was. */
export function signalWatched(onLook: (looks: number) => boolean): AbortSignal {
  let looks = 0;
  const { signal } = new AbortController();
  Object.defineProperty(signal, 'aborted', { get: () => onLook(++looks) });
  return signal;
}
