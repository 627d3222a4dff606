import { visible, withoutPasswords } from '@winnow/core';

/** A stream that people or programs read. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** A stream that something is read from: bytes or text in pieces, until it ends. */
export type Input = AsyncIterable<string | Uint8Array>;

/** Where a command talks to: results go to `stdout`, progress and errors to `stderr`. */
export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Read only by commands that are asked to. */
  readonly stdin: Input;
  /** Aborted when the user asks to stop. */
  readonly signal: AbortSignal;
}

/** Says what is to be known of a run beside its results. */
export const noteOn =
  ({ stderr }: Pick<Terminal, 'stderr'>) =>
  (line: string): void => {
    print(stderr, line);
  };

/** For whoever fetches something: says how it goes on, and stops when the user asks to. */
export const watchOn = (terminal: Pick<Terminal, 'stderr' | 'signal'>) => ({
  note: noteOn(terminal),
  signal: terminal.signal,
});

/** Says a line, or some: names in it cannot command the terminal, and passwords of addresses are not shown. */
export function print(output: Output, line: string): void {
  output.write(`${visible(withoutPasswords(line))}\n`);
}
