import { JSONParser } from '@streamparser/json';
import { DataError } from '../failure/data-error';
import { readInPieces } from './regular-file';
import { refuseOtherEncoding } from './utf8';

const MOST_BYTES = 8 * 1024 ** 3;

/**
 * Reads a JSON file that is one object with many entries, piece by piece: it may be larger than a string can be.
 * @param what What the file should be, for messages: 'questions'.
 * @param use Called with each entry in turn; what it throws is passed on.
 * @throws {DataError} when the file cannot be read, is no such JSON, or has the same name twice.
 */
export async function readEntries(
  path: string,
  what: string,
  use: (name: string, entry: unknown) => void,
): Promise<void> {
  const names = new Set<string>();
  const parser = new JSONParser({ paths: ['$.*'], keepStack: false });
  const fault: { reason?: string; thrown?: unknown } = {};
  parser.onValue = ({ key, value }) => {
    if (fault.reason !== undefined || 'thrown' in fault) return;
    if (typeof key !== 'string') fault.reason = 'a list';
    else if (names.has(key)) fault.reason = `'${key}' twice`;
    else {
      names.add(key);
      try {
        use(key, value);
      } catch (thrown) {
        fault.thrown = thrown;
      }
    }
  };
  parser.onError = ({ message }) => {
    fault.reason ??= message;
  };
  let isFirst = true;
  await readInPieces(path, { what: 'JSON', mostBytes: MOST_BYTES }, (piece) => {
    if (isFirst) refuseOtherEncoding(piece, path, what);
    isFirst = false;
    if (fault.reason === undefined && !('thrown' in fault)) parser.write(piece);
  });
  if ('thrown' in fault) throw fault.thrown;
  if (fault.reason === undefined && !parser.isEnded) fault.reason = 'it ends too soon';
  if (fault.reason !== undefined) {
    throw new DataError({
      expected: `${what}, an object with an entry for each, in ${path}`,
      found: fault.reason,
      advice: 'Mend the file, or fetch it anew.',
    });
  }
}
