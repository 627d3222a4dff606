import { type Hash, createHash } from 'node:crypto';
import { type OpenFile, openFile, openFileIfThere } from './open-file';
import type { StreamedContent } from './write-atomically';

/** Read at once: large enough that calls do not count, small beside any model. */
const PIECE_BYTES = 2 ** 24;

/** A file with the SHA-256 of what is in it, in hexadecimal digits. Whoever opened it closes it. */
export interface HashedFile {
  readonly opened: OpenFile;
  readonly sha256: string;
}

/** Opens a file, if there is one, and reads it piece by piece. */
export async function openHashedIfThere(file: string): Promise<HashedFile | undefined> {
  const opened = await openFileIfThere(file);
  if (opened === undefined) return undefined;
  try {
    return { opened, sha256: await sha256Of(opened) };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/**
 * SHA-256 of what is in a file, in hexadecimal digits.
 * @throws {FormatError} when it cannot be read.
 */
export async function digestOfFile(file: string): Promise<string> {
  const opened = await openFile(file);
  try {
    return await sha256Of(opened);
  } finally {
    await opened.close();
  }
}

async function sha256Of(opened: OpenFile): Promise<string> {
  const hash = createHash('sha256');
  for (let begin = 0; begin < opened.size; begin += PIECE_BYTES) {
    hash.update(await opened.read(begin, Math.min(begin + PIECE_BYTES, opened.size)));
  }
  return hash.digest('hex');
}

/** The same content, which adds itself to the hash on its way. */
export function hashing({ bytes, pieces }: StreamedContent, hash: Hash): StreamedContent {
  async function* passedOn(): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      hash.update(piece);
      yield piece;
    }
  }
  return { bytes, pieces: passedOn() };
}
