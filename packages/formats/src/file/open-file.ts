import { type Stats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { FormatError, systemCode } from './format-error';

/** Reads of one call may not be larger than this: the system's own bound lies just below 2 GiB. */
const PIECE = 2 ** 30;
/** Opening a pipe that nobody writes to would wait for ever. (Windows has no such flag, and no such pipes.) */
const WITHOUT_WAITING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** A file that is open for reading. Whoever opened it closes it. */
export interface OpenFile {
  readonly file: string;
  /** In bytes. */
  readonly size: number;
  /**
   * The bytes from `begin` up to `end`, in a buffer of their own (aligned for typed arrays), also beyond 2 GiB.
   * @throws {FormatError} when the system cannot read them, or the file has become shorter.
   */
  read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** @throws {FormatError} when the file is missing, may not be read, or is a folder, a pipe, a socket or a device. */
export async function openFile(file: string): Promise<OpenFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, WITHOUT_WAITING);
    const opened = handle;
    const stats = await opened.stat();
    if (!stats.isFile()) throw new FormatError(`cannot read ${file}: expected a file, got ${kindOf(stats)}`);
    const { size } = stats;
    return {
      file,
      size,
      read: (begin, end) => readRange(opened, { file, begin, end }),
      close: () => opened.close(),
    };
  } catch (error) {
    await handle?.close();
    throw explained(error, file);
  }
}

/** Like `openFile`, but `undefined` where there is no such file. */
export async function openFileIfThere(file: string): Promise<OpenFile | undefined> {
  try {
    return await openFile(file);
  } catch (error) {
    if (error instanceof FormatError && systemCode(error.cause) === 'ENOENT') return undefined;
    throw error;
  }
}

async function readRange(
  handle: FileHandle,
  { file, begin, end }: { file: string; begin: number; end: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end - begin);
  let done = 0;
  try {
    while (done < bytes.byteLength) {
      const length = Math.min(PIECE, bytes.byteLength - done);
      const { bytesRead } = await handle.read(bytes, done, length, begin + done);
      if (bytesRead === 0) {
        throw new FormatError(
          `${file}: expected ${end} bytes, got ${begin + done}; it was cut while being read`,
        );
      }
      done += bytesRead;
    }
    return bytes;
  } catch (error) {
    throw explained(error, file);
  }
}

/** A word for what is no file. */
export function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

function explained(error: unknown, file: string): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  return new FormatError(`cannot read ${file}: ${reasonOf(code)}`, { cause: error });
}

function reasonOf(code: string): string {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no such file';
    case 'EACCES':
    case 'EPERM':
      return `no permission to read it (${code})`;
    case 'ELOOP':
      return 'its links lead in a circle (ELOOP)';
    case 'ENXIO':
      return 'expected a file, got a socket or a device';
    default:
      return `the system says ${code}`;
  }
}
