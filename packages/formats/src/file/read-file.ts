import { otherEncoding } from '@winnow/core';
import { FormatError } from './format-error';
import { type OpenFile, openFile, openFileIfThere } from './open-file';

/** The bound of what is taken into memory of a file. */
export interface ReadingBounds {
  /** A larger file is refused before it is read. */
  readonly mostBytes?: number;
}

/**
 * The whole file, in a buffer of its own (aligned for typed arrays), also beyond 2 GiB.
 * @throws {FormatError} when it is missing, may not be read, is no file, is larger than allowed, or changes length while
 * it is read.
 */
export async function readBytes(file: string, bounds: ReadingBounds = {}): Promise<Uint8Array<ArrayBuffer>> {
  return whole(await openFile(file), bounds);
}

/** Like `readBytes`, but `undefined` where there is no such file. */
export async function readBytesIfThere(
  file: string,
  bounds: ReadingBounds = {},
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const opened = await openFileIfThere(file);
  return opened && whole(opened, bounds);
}

async function whole(
  opened: OpenFile,
  { mostBytes = Infinity }: ReadingBounds,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const { file, size } = opened;
    if (size > mostBytes) {
      throw new FormatError(`${file}: expected at most ${mostBytes} bytes for such a file, got ${size}`);
    }
    return await opened.read(0, size);
  } finally {
    await opened.close();
  }
}

/**
 * Text of bytes in UTF-8.
 * @throws {FormatError} when they are not UTF-8.
 */
export function textOf(file: string, bytes: Uint8Array): string {
  const other = otherEncoding(bytes);
  if (other !== undefined)
    throw new FormatError(`${file}: expected text in UTF-8, got ${other.found}. ${other.advice}`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new FormatError(`${file}: expected text in UTF-8, got bytes that are none`, { cause: error });
  }
}

/** Where in a text an offset lies, both counted from 1. */
export function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
