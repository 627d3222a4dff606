import { type Hash, createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { InterruptedError, UserError } from '@winnow/core';
import { systemCode } from '@winnow/formats';
import { tryLock } from 'fs-native-extensions';
import { type HubFile, sizeOf } from './files';
import { type Asking, hubFetch } from './hub-fetch';
import { type HubName, hubText } from './hub-name';
import { networkReason, piecesOf } from './pieces';

/** Ends the name of a blob that is still being fetched; other programs use other names, so nobody writes into it but us. */
const UNFINISHED = '.winnow.incomplete';
/** The number of times that a connection may break without having brought a piece of the file. */
const MOST_BREAKS = 4;
const FIRST_WAIT_MS = 250;
const LOOK_AGAIN_MS = 250;
const PIECE_BYTES = 2 ** 20;
const READ_AND_APPEND =
  constants.O_RDWR | constants.O_CREAT | (process.platform === 'win32' ? 0 : constants.O_NOFOLLOW);

/** A file of a commit, and where its content goes. */
export interface WantedBlob {
  readonly file: HubFile;
  readonly commit: string;
  /** Path of the finished blob. */
  readonly path: string;
  /** Told of every piece: bytes of the file that are there. */
  progress(bytes: number): void;
  /** Told a line when another process is fetching the same file. */
  note(line: string): void;
}

/** The hash under which a file stands in the cache: SHA-256 of its content, or Git's own. */
export const hashOf = ({ oid, lfs }: HubFile): string => lfs?.oid ?? oid;

const sizeThere = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ size }) => size,
    () => undefined,
  );

/** Whether the content of a file is there whole: it has its name only then. */
export const isThere = async (file: HubFile, path: string): Promise<boolean> =>
  (await sizeThere(path)) === sizeOf(file);

/** Bytes of a file that is not there whole which still have to come. */
export const bytesMissing = async (file: HubFile, path: string): Promise<number> =>
  Math.max(0, sizeOf(file) - ((await sizeThere(path + UNFINISHED)) ?? 0));

/**
 * Fetches the content of a file, from where it was broken off. It has its name once it is whole: its size and its hash are
 * those that the Hub lists. One process fetches it, others wait.
 * @throws {UserError} when it cannot be fetched, or is not what is listed. @throws {InterruptedError} on request.
 */
export async function fetchBlob(wanted: WantedBlob, asking: Asking): Promise<void> {
  const { file, path } = wanted;
  await mkdir(dirname(path), { recursive: true });
  if (await isThere(file, path)) return;
  const handle = await lockedPartial(wanted, asking);
  try {
    // Another process may have finished it meanwhile: what is open here is a new one.
    if (await isThere(file, path)) {
      await rm(path + UNFINISHED);
      return;
    }
    const before = (await handle.stat()).size;
    if (before > sizeOf(file)) await handle.truncate(0);
    const resumed = before > 0 && before <= sizeOf(file);
    const isWhole =
      (await filled(handle, wanted, asking)) || (resumed && (await filled(handle, wanted, asking)));
    if (!isWhole)
      throw new UserError(
        `${hubText(asking.name)}: ${file.path} has not the content that ${asking.endpoint} lists (its hash is another): nothing of it was kept, try again later`,
      );
    await handle.sync();
    await rename(path + UNFINISHED, path);
  } finally {
    await handle.close();
  }
}

/** Opens the unfinished file and locks it: the one of that name, not one that has become the blob meanwhile. */
async function lockedPartial(
  { file, path, note }: WantedBlob,
  { name, signal }: Asking,
): Promise<FileHandle> {
  for (let isSaid = false; ;) {
    const handle = await open(path + UNFINISHED, READ_AND_APPEND, 0o666);
    if (isLocked(handle.fd)) {
      const own = await handle.stat();
      const there = await stat(path + UNFINISHED).catch(() => undefined);
      if (own.isFile() && there?.ino === own.ino) return handle;
      await handle.close();
      continue;
    }
    await handle.close();
    if (!isSaid) note(`${hubText(name)}: another process is fetching ${file.path}, waiting for it`);
    isSaid = true;
    await delay(LOOK_AGAIN_MS, undefined, signal === undefined ? {} : { signal }).catch(() => {
      throw new InterruptedError();
    });
  }
}

function isLocked(descriptor: number): boolean {
  try {
    return tryLock(descriptor);
  } catch {
    // A file system without locks protects nobody; the hash tells what two writers would make of one file.
    return true;
  }
}

/** Fetches what is missing; false, and nothing is left, when the whole is not what is listed. */
async function filled(handle: FileHandle, wanted: WantedBlob, asking: Asking): Promise<boolean> {
  const { file, progress } = wanted;
  const size = sizeOf(file);
  const hash = emptyHash(file);
  let done = await hashed(handle, hash);
  progress(done);
  for (let breaks = 0; done < size;) {
    const before = done;
    try {
      for await (const piece of contentFrom(done, wanted, asking)) {
        if (done + piece.byteLength > size) throw new TooLong();
        await written(handle, piece, done, wanted.path);
        hash.update(piece);
        done += piece.byteLength;
        progress(done);
      }
      if (done < size) throw new Error('the connection ended before the file did');
    } catch (error) {
      if (error instanceof TooLong || error instanceof NotFromThere) break;
      if (error instanceof UserError || error instanceof InterruptedError) throw error;
      breaks = done - before >= PIECE_BYTES ? 1 : breaks + 1;
      if (breaks === MOST_BREAKS) throw brokenOff(error, { file, done, ...asking });
      await delay(FIRST_WAIT_MS * 2 ** (breaks - 1));
    }
  }
  if (done === size && hash.digest('hex') === hashOf(file)) return true;
  await handle.truncate(0);
  return false;
}

/** @throws {UserError} when the disk does not take it. */
async function written(handle: FileHandle, piece: Uint8Array, at: number, path: string): Promise<void> {
  try {
    for (let begin = 0; begin < piece.byteLength;)
      begin += (await handle.write(piece, begin, piece.byteLength - begin, at + begin)).bytesWritten;
  } catch (error) {
    throw new UserError(
      `cannot write ${path} (${systemCode(error) ?? String(error)}): make room, or name another folder in HF_HUB_CACHE`,
    );
  }
}

/** The body goes on beyond the size that is listed. */
class TooLong extends Error {}
/** The answer is not the rest that was asked for. */
class NotFromThere extends Error {}

/** The bytes of a file from a place on, as the library fetches them. */
async function* contentFrom(
  begin: number,
  { file, commit }: WantedBlob,
  asking: Asking,
): AsyncGenerator<Uint8Array> {
  const { endpoint, token, name } = asking;
  const { downloadFile } = await import('@huggingface/hub');
  const ask = hubFetch(asking, 'file');
  // The library tells of a failure in the body's stream by its message alone.
  let failure: unknown;
  const watched: typeof fetch = async (input, init) => {
    try {
      const answer = await ask(input, init);
      if (begin > 0 && !isFrom(answer, begin)) {
        await answer.body?.cancel();
        throw new NotFromThere();
      }
      return answer;
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  const size = sizeOf(file);
  const url = addressOf(file.path, { commit, endpoint, name });
  const blob = await downloadFile({
    repo: { type: 'model', name: name.repository },
    path: file.path,
    downloadInfo: { size, etag: hashOf(file), url },
    ...(token === undefined ? {} : { accessToken: token }),
    fetch: watched,
    xet: false,
  });
  if (blob === null) throw new UserError(`${hubText(name)}: there is no file ${file.path}`);
  try {
    yield* piecesOf((begin === 0 ? blob : blob.slice(begin)).stream(), asking);
  } catch (error) {
    throw failure ?? error;
  }
}

const isFrom = ({ status, headers }: Response, begin: number): boolean =>
  status === 206 && headers.get('content-range')?.startsWith(`bytes ${begin}-`) === true;

const addressOf = (
  path: string,
  { commit, endpoint, name }: { commit: string; endpoint: string; name: HubName },
): string => `${endpoint}/${name.repository}/resolve/${commit}/${encodeURIComponent(path)}`;

/** SHA-256 of the content, or the hash of a blob of Git. */
function emptyHash({ lfs, size }: HubFile): Hash {
  return lfs === undefined ? createHash('sha1').update(`blob ${size}\0`) : createHash('sha256');
}

/** Adds what a file has already to a hash. */
async function hashed(handle: FileHandle, hash: Hash): Promise<number> {
  const buffer = Buffer.alloc(PIECE_BYTES);
  for (let at = 0; ;) {
    const { bytesRead } = await handle.read(buffer, 0, PIECE_BYTES, at);
    if (bytesRead === 0) return at;
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

function brokenOff(
  error: unknown,
  { file, done, name, endpoint }: { file: HubFile; done: number } & Asking,
): UserError {
  return new UserError(
    `${hubText(name)}: the connection to ${endpoint} broke off at ${done} of ${sizeOf(file)} bytes of ${file.path} (${networkReason(error)}): ask again, it goes on from there`,
  );
}
