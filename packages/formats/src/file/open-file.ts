import { type FileHandle, open } from 'node:fs/promises';
import { FormatError, systemCode } from './format-error';

/** Reads of one call may not be larger than this: the system's own bound lies just below 2 GiB. */
const PIECE = 2 ** 30;

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

/** @throws {FormatError} when the file is missing or may not be read. */
export async function openFile(file: string): Promise<OpenFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    const opened = handle;
    const { size } = await opened.stat();
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

function explained(error: unknown, file: string): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  const reason = code === 'ENOENT' ? 'there is no such file' : `the system says ${code}`;
  return new FormatError(`cannot read ${file}: ${reason}`, { cause: error });
}
