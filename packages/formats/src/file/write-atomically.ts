import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FormatError, systemCode } from './format-error';

/** Bytes that are made while they are written, so that they need not be in memory at once. */
export interface StreamedContent {
  /** All of them. */
  readonly bytes: number;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** The content of a file: text, bytes, or bytes in pieces that are written one after the other without being copied. */
export type FileContent = string | Uint8Array | readonly Uint8Array[] | StreamedContent;

/** Ends the name of a file that is still being written. */
const TEMPORARY_SUFFIX = '.tmp';
/** Names of such files, and of what a database keeps beside one: nobody else's notes are cleared away. */
const TEMPORARY = /\.[0-9a-f]{12}\.tmp(?:\.wal)?$/;

/** Another name beside a file, under which it is written before it takes its place. */
export const temporaryName = (file: string): string =>
  `${file}.${randomBytes(6).toString('hex')}${TEMPORARY_SUFFIX}`;

/** Whether a file is one that is being written, or was when its process was killed. */
export const isTemporary = (name: string): boolean => TEMPORARY.test(name);

/**
 * Replaces `file` whole or not at all: writes a temporary file beside it, forces it to the disk and renames it. After a
 * crash at any point the file holds its old or its new content. A crash of the process itself may leave the temporary
 * file (`<file>.<random>.tmp`, see `clearTemporaryFiles`); an error does not.
 * @throws {FormatError} when the disk is full, the folder is missing or may not be written; `file` is unchanged then.
 */
export async function writeAtomically(file: string, content: FileContent): Promise<void> {
  const { bytes, pieces } = streamOf(content);
  const temporary = temporaryName(file);
  try {
    await writeDurably(temporary, pieces);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw explained(error, `write ${file} (${bytes} bytes)`, dirname(file));
  }
  await syncFolder(dirname(file));
}

/**
 * Finds out before long work whether its result can be written.
 * @throws {FormatError} when the folder is missing or may not be written, or `file` is a folder.
 */
export async function checkWritable(file: string): Promise<void> {
  const temporary = temporaryName(file);
  try {
    await writeDurably(temporary, []);
  } catch (error) {
    throw explained(error, `write ${file}`, dirname(file));
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined); // a part of the way is a file
  }
  const there = await stat(file).catch(() => undefined);
  if (there?.isDirectory() === true)
    throw new FormatError(`cannot write ${file}: it is a folder; choose another name. Nothing was changed.`);
}

/**
 * Removes the temporary files that killed processes have left in a folder: nobody finishes them, and they can be large.
 * @param silentForMs Time that nobody has written to them: in a folder of one process at a time, anything from before this
 * process began; where several write side by side, more than any of them is silent for.
 */
export async function clearTemporaryFiles(
  folder: string,
  silentForMs = process.uptime() * 1000,
): Promise<void> {
  const latest = Date.now() - silentForMs;
  for (const name of await readdir(folder)) {
    if (!isTemporary(name)) continue;
    const file = join(folder, name);
    const stats = await stat(file).catch(() => undefined); // gone meanwhile
    if (stats !== undefined && stats.isFile() && stats.mtimeMs < latest) await rm(file, { force: true });
  }
}

/**
 * Moves a file to another name in its folder, in one step and durably.
 * @throws {FormatError} when the folder may not be written.
 */
export async function renameDurably(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    throw explained(error, `rename ${from} to ${to}`, dirname(to));
  }
  await syncFolder(dirname(to));
}

/**
 * Makes a folder, and those above it, unless it is there.
 * @throws {FormatError} when a file stands in the way or the folder above may not be written.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw explained(error, `make the folder ${folder}`, folder);
  }
}

interface Stream {
  readonly bytes: number;
  readonly pieces: readonly Uint8Array[] | AsyncIterable<Uint8Array>;
}

function streamOf(content: FileContent): Stream {
  if (typeof content === 'string') return streamOf(new TextEncoder().encode(content));
  if (content instanceof Uint8Array) return { bytes: content.byteLength, pieces: [content] };
  if ('pieces' in content) return content;
  return { bytes: content.reduce((total, piece) => total + piece.byteLength, 0), pieces: content };
}

async function writeDurably(file: string, pieces: Stream['pieces']): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    // `writeFile` goes on until all bytes are written; a bare `write` may stop short on a full disk and call that success.
    for await (const piece of pieces) await handle.writeFile(piece);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a rename last through a power cut. Windows has no such call for folders. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } finally {
    await handle?.close();
  }
}

function explained(error: unknown, action: string, folder: string): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  return new FormatError(`cannot ${action}: ${advice(code, folder)}. Nothing was changed.`, { cause: error });
}

function advice(code: string, folder: string): string {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return `the disk is full (${code}); free some space or choose another folder`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `no permission to write there (${code}); choose a folder that you may write`;
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EEXIST':
      return `${folder} is not a folder (${code}); make it first or choose another`;
    default:
      return `the system says ${code}`;
  }
}
