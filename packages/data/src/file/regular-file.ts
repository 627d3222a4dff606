import { type Stats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { DataError } from '../failure/data-error';
import { explained } from '../failure/system-failure';

const MIB = 1024 * 1024;
/** Opening a pipe that nobody writes to would wait for ever. Windows has no such flag, and no such pipes in folders. */
const AT_ONCE = constants.O_RDONLY | (process.platform === 'win32' ? 0 : constants.O_NONBLOCK);

export interface RegularFileOptions {
  /** Name of the kind of file that it should be, for messages: 'a picture'. */
  readonly what: string;
  readonly mostBytes: number;
}

/** The limit for a picture's file: that of an uncompressed one of 9,000 pixels a side. */
export const pictureFile: RegularFileOptions = { what: 'a picture', mostBytes: 256 * MIB };

/** Names the kind of thing that a path leads to where that is no ordinary file. */
export function kindOf(found: Pick<Stats, 'isDirectory' | 'isFIFO' | 'isSocket'>): string {
  if (found.isDirectory()) return 'a folder';
  if (found.isFIFO()) return 'a pipe';
  return found.isSocket() ? 'a socket' : 'a device';
}

/**
 * Lends an ordinary file with its size in bytes. Pipes, devices and folders are refused without waiting for them.
 * @throws {DataError} when there is none, or it cannot be opened.
 */
export async function withRegularFile<Result>(
  path: string,
  what: string,
  use: (file: FileHandle, bytes: number) => Promise<Result>,
): Promise<Result> {
  try {
    const file = await open(path, AT_ONCE);
    try {
      const found = await file.stat();
      if (!found.isFile()) {
        throw new DataError({
          expected: `${what} in ${path}`,
          found: kindOf(found),
          advice: 'Put an ordinary file there, or take it out of the data.',
        });
      }
      return await use(file, found.size);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw explained(cause, `${what} in ${path}`);
  }
}

/** As many bytes from the start of a file as `bytes` has room for; fewer where it ends before. */
async function fill(file: FileHandle, bytes: Buffer): Promise<Buffer> {
  let filled = 0;
  while (filled < bytes.byteLength) {
    const { bytesRead } = await file.read(bytes, filled, bytes.byteLength - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

function refuseLarger(bytes: number, path: string, { what, mostBytes }: RegularFileOptions): void {
  if (bytes <= mostBytes) return;
  throw new DataError({
    expected: `${what} of at most ${Math.floor(mostBytes / MIB)} MiB in ${path}`,
    found: `${Math.ceil(bytes / MIB)} MiB`,
    advice: 'Make it smaller, or take it out of the data.',
  });
}

/**
 * The whole content of an ordinary file.
 * @throws {DataError} when it is not there, is no ordinary file, is larger than `mostBytes` or cannot be read.
 */
export function readRegularFile(path: string, { what, mostBytes }: RegularFileOptions): Promise<Buffer> {
  return withRegularFile(path, what, async (file, bytes) => {
    refuseLarger(bytes, path, { what, mostBytes });
    const content = await fill(file, Buffer.allocUnsafe(bytes));
    if (content.byteLength < bytes) {
      throw new DataError({
        expected: `${what} of ${bytes} bytes in ${path}`,
        found: `${content.byteLength} bytes: it became shorter while it was read`,
        advice: 'Wait until nobody writes to the data any more, and try again.',
      });
    }
    return content;
  });
}

/**
 * The first bytes of an ordinary file, or all of a shorter one. Of a file that says that it is empty nothing is read: some of
 * the system's never end.
 * @throws {DataError} when it is not there, is no ordinary file or cannot be read.
 */
export function readHead(path: string, bytes: number, what: string): Promise<Buffer> {
  return withRegularFile(path, what, (file, size) => fill(file, Buffer.alloc(Math.min(bytes, size))));
}

const CHUNK_BYTES = MIB;

/**
 * Passes on the content of an ordinary file piece by piece, up to the size that it says it has. A piece is lent: the next
 * one takes its place.
 * @throws {DataError} when it is not there, is no ordinary file, is larger than `mostBytes` or cannot be read.
 */
export function readInPieces(
  path: string,
  { what, mostBytes }: RegularFileOptions,
  use: (piece: Uint8Array) => void,
): Promise<void> {
  return withRegularFile(path, what, async (file, bytes) => {
    refuseLarger(bytes, path, { what, mostBytes });
    const room = Buffer.allocUnsafe(Math.min(bytes, CHUNK_BYTES));
    for (let at = 0; at < bytes;) {
      const { bytesRead } = await file.read(room, 0, Math.min(room.byteLength, bytes - at), at);
      if (bytesRead === 0) return;
      use(room.subarray(0, bytesRead));
      at += bytesRead;
    }
  });
}
