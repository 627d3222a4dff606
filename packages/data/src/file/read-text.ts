import { readRegularFile } from './regular-file';

/** A string of JavaScript cannot be longer; COCO's captions are 92 MB. */
const MOST_BYTES = 500 * 1024 * 1024;
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * The text in a UTF-8 file. A byte order mark in front of it, as editors on Windows write it, is left out.
 * @param what What the file should be, for messages: 'a table of captions'.
 * @throws {DataError} when it is not there, is no ordinary file, is too large or cannot be read.
 */
export async function readText(path: string, what: string): Promise<string> {
  const text = (await readRegularFile(path, { what, mostBytes: MOST_BYTES })).toString('utf8');
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}
