import { DataError } from '../failure/data-error';

/** First bytes of a file whose text is in another of Unicode's encodings; the longer marks first. */
const marks: readonly (readonly [encoding: string, bytes: readonly number[]])[] = [
  ['UTF-32', [0xff, 0xfe, 0x00, 0x00]],
  ['UTF-32', [0x00, 0x00, 0xfe, 0xff]],
  ['UTF-16', [0xff, 0xfe]],
  ['UTF-16', [0xfe, 0xff]],
];
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
  const begins = (mark: readonly number[]) => mark.every((byte, at) => bytes[at] === byte);
  const marked = marks.find(([, mark]) => begins(mark));
  if (marked !== undefined) {
    const [encoding] = marked;
    throw reject(
      `${encoding} (its byte order mark)`,
      `Save the file as UTF-8, for example with iconv -f ${encoding} -t UTF-8.`,
    );
  }
  // Files of ours begin with a letter or sign of ASCII, which is two bytes in UTF-16.
  if (bytes[0] === 0 || bytes[1] === 0) {
    throw reject(
      'UTF-16 without a byte order mark, or no text at all',
      'Save the file as UTF-8, for example with iconv -f UTF-16LE -t UTF-8.',
    );
  }
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
