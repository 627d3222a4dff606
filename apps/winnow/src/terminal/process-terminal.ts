import type { Input, Output, Terminal } from './terminal';

/** The parts of a process that a terminal is made of. */
export interface Streams {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: Input;
}

/** Nobody reads any more: a pipe without a reader, a terminal that was closed. */
const readerIsGone = new Set<unknown>(['EPIPE', 'EIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED']);

/**
 * The terminal of a process. A reader that has gone is told nothing any more, and the work goes on: what is computed
 * lies in files. `onUnwritten` hears of results that could not be written for another reason, a full disk say.
 */
export function processTerminal(
  streams: Streams,
  signal: AbortSignal,
  onUnwritten: (error: Error) => void,
): Terminal {
  const { stdout, stderr } = streams;
  // Without a listener an error of a stream ends the process.
  stderr.on('error', () => undefined);
  stdout.on('error', (error: Error) => {
    if (!('code' in error && readerIsGone.has(error.code))) onUnwritten(error);
  });
  return {
    stdout,
    stderr,
    // Whoever only looks at the one of a process opens it.
    get stdin() {
      return streams.stdin;
    },
    signal,
  };
}
