import { otherEncoding } from '@winnow/core';
import { DataError } from '../failure/data-error';

const LINE_FEED = 0x0a;
const REPLACEMENT = '\ufffd';
const REPLACEMENT_BYTES = [0xef, 0xbf, 0xbd];

/**
 * Text of bytes in UTF-8. A byte order mark in front of it, as editors on Windows write it, is left out.
 * @param what What the file should be, for messages: 'a table of captions'.
 * @throws {DataError} when they are another encoding's or no text's, with the line and the byte.
 */
export function utf8Text(bytes: Uint8Array, path: string, what: string): string {
  const reject = (found: string, advice: string, cause?: unknown) =>
    new DataError({ expected: `${what} as text in UTF-8 in ${path}`, found, advice }, { cause });
  refuseOtherEncoding(bytes, path, what);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const { line, byte } = firstStray(bytes);
    const value = (bytes[byte] ?? 0).toString(16).toUpperCase().padStart(2, '0');
    throw reject(
      `the byte 0x${value} on line ${line} (byte ${byte + 1} of the file), which is none: another encoding's (Windows-1252, Latin-1?) or a damaged file's`,
      'Save the file as UTF-8, for example with iconv -f WINDOWS-1252 -t UTF-8, or fetch it again.',
      cause,
    );
  }
}

/**
 * Refuses a file whose first bytes are those of UTF-16 or UTF-32, before anybody reads on.
 * @throws {DataError} that names the encoding.
 */
export function refuseOtherEncoding(head: Uint8Array, path: string, what: string): void {
  const other = otherEncoding(head);
  if (other !== undefined) throw new DataError({ expected: `${what} as text in UTF-8 in ${path}`, ...other });
}

/** Where bytes cease to be UTF-8: the line from 1, the byte from 0. */
function firstStray(bytes: Uint8Array): { line: number; byte: number } {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  // No byte of a character of several is a line feed: each line is UTF-8 by itself or not.
  for (let line = 1, start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(LINE_FEED, start);
    const row = bytes.subarray(start, end === -1 ? bytes.length : end);
    const text = decoder.decode(row);
    for (let at = text.indexOf(REPLACEMENT), byte = 0, from = 0; at !== -1;) {
      byte += Buffer.byteLength(text.slice(from, at));
      // The sign itself may stand in a text.
      if (!REPLACEMENT_BYTES.every((value, offset) => row[byte + offset] === value)) {
        return { line, byte: start + byte };
      }
      byte += REPLACEMENT_BYTES.length;
      from = at + 1;
      at = text.indexOf(REPLACEMENT, from);
    }
    start += row.length + 1;
  }
  return { line: 1, byte: 0 };
}
