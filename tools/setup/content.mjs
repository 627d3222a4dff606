import { createHash } from 'node:crypto';
import {
  closeSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';

const PIECE_BYTES = 4 * 1024 * 1024;
/** Lies in a folder that is complete, and says what it holds. */
const RECORD = 'contents.json';

/** SHA-256 of a file of any size. */
export function sha256Of(file) {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(PIECE_BYTES);
  const descriptor = openSync(file, 'r');
  try {
    for (let read; (read = readSync(descriptor, piece)) > 0;) hash.update(piece.subarray(0, read));
  } finally {
    closeSync(descriptor);
  }
  return hash.digest('hex');
}

/** Lists the contents of a folder: the SHA-256 of every file, the target of every link, by relative path. */
function contentsOf(folder) {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => [join(entry.parentPath, entry.name), entry.isSymbolicLink()])
    .map(([path, isLink]) => [relative(folder, path), isLink ? `-> ${readlinkSync(path)}` : sha256Of(path)])
    .filter(([name]) => name !== RECORD);
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Writes down what a folder holds, for {@link changeIn}. */
export function recordContents(folder) {
  writeFileSync(join(folder, RECORD), JSON.stringify(contentsOf(folder), undefined, 1));
}

/**
 * Compares a folder with what was recorded of it, by content.
 * @returns {string | undefined} the first file that is other, missing or more; undefined when all is as it was.
 */
export function changeIn(folder) {
  let recorded;
  try {
    recorded = JSON.parse(readFileSync(join(folder, RECORD), 'utf8'));
  } catch {
    return RECORD;
  }
  const found = contentsOf(folder);
  return [...new Set([...Object.keys(recorded), ...Object.keys(found)])].find(
    (name) => recorded[name] !== found[name],
  );
}

/** The SHA-256 of a file as its folder's record has it; undefined when it is not there. */
export function recordedIn(folder, name) {
  try {
    return JSON.parse(readFileSync(join(folder, RECORD), 'utf8'))[name];
  } catch {
    return undefined;
  }
}
