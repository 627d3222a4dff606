import { DataError } from '../failure/data-error';
import { readInPieces } from './regular-file';

const MOST_BYTES = 8 * 1024 ** 3;
const MOST_LINE_BYTES = 16 * 1024 ** 2;
const LINE_FEED = 0x0a;

/**
 * Reads a text in UTF-8 line by line: it may be larger than a string can be. A byte order mark in front of it is left out, and so is what ends a
 * line.
 * @param what What the file should be, for messages: 'statements'.
 * @param use Called with each line in turn, and its number from 1.
 * @throws {DataError} when the file cannot be read, or a line is not UTF-8 or has more than 16 MiB.
 */
export async function readLines(
  path: string,
  what: string,
  use: (line: string, number: number) => void,
): Promise<void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let [begun, bytes, number]: [Uint8Array[], number, number] = [[], 0, 0];
  const fault: { thrown?: unknown } = {};
  const reject = (found: string, cause?: unknown) =>
    new DataError(
      {
        expected: `${what}, lines of text in UTF-8, in ${path}`,
        found,
        advice: 'Save the file as UTF-8, or fetch it anew.',
      },
      { cause },
    );
  const add = (part: Uint8Array): void => {
    if (bytes + part.byteLength > MOST_LINE_BYTES) throw reject(`a line ${number + 1} without an end`);
    begun.push(Uint8Array.from(part)); // The piece is lent.
    bytes += part.byteLength;
  };
  const end = (): void => {
    number += 1;
    let line: string;
    try {
      line = decoder.decode(Buffer.concat(begun));
    } catch (cause) {
      throw reject(`other bytes on line ${number}: another encoding's, or a damaged file's`, cause);
    }
    [begun, bytes] = [[], 0];
    use(line.endsWith('\r') ? line.slice(0, -1) : line, number);
  };
  await readInPieces(path, { what, mostBytes: MOST_BYTES }, (piece) => {
    if ('thrown' in fault) return;
    try {
      let from = 0;
      for (let at = piece.indexOf(LINE_FEED); at !== -1; at = piece.indexOf(LINE_FEED, from)) {
        add(piece.subarray(from, at));
        end();
        from = at + 1;
      }
      add(piece.subarray(from));
    } catch (thrown) {
      fault.thrown = thrown;
    }
  });
  if ('thrown' in fault) throw fault.thrown;
  if (bytes > 0) end();
}
