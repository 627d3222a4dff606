import { readRegularFile } from './regular-file';
import { utf8Text } from './utf8';

/** A string of JavaScript cannot be longer; COCO's captions are 92 MB. */
const MOST_BYTES = 500 * 1024 * 1024;

/**
 * The text in a UTF-8 file. A byte order mark in front of it, as editors on Windows write it, is left out.
 * @param what What the file should be, for messages: 'a table of captions'.
 * @throws {DataError} when it is not there, is no ordinary file, is too large, cannot be read or is not UTF-8.
 */
export const readText = async (path: string, what: string): Promise<string> =>
  utf8Text(await readRegularFile(path, { what, mostBytes: MOST_BYTES }), path, what);
