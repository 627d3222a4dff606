import { UserError } from '@winnow/core';
import type { Input } from './terminal';

/** A million paths, and more than anybody types. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * The lines of an input that ends, without those that are empty.
 * @throws {UserError} when there are more than 64 MiB of them.
 */
export async function linesOf(input: Input): Promise<string[]> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    const piece = typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk;
    bytes += piece.byteLength;
    if (bytes > MOST_BYTES)
      throw new UserError(
        `standard input: expected at most ${MOST_BYTES / 2 ** 20} MiB of lines: give it in parts`,
      );
    pieces.push(piece);
  }
  const text = new TextDecoder().decode(Buffer.concat(pieces));
  return text.split(/\r?\n/).filter((line) => line !== '');
}
