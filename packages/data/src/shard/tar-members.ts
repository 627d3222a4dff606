import type { FileHandle } from 'node:fs/promises';
import { DataError } from '../failure/data-error';
import { visibly } from '../failure/visible';
import { withRegularFile } from '../file/regular-file';
import { BLOCK, isZero, tarHeader, textOf } from './tar-header';

/** A file in a tar archive: where its content lies. */
export interface TarMember {
  readonly name: string;
  /** Place of its first byte in the archive. */
  readonly start: number;
  readonly bytes: number;
}

/** Reads some bytes of the archive, at most a mebibyte; they are lent until the next reading. */
export type ReadArchive = (start: number, bytes: number) => Promise<Buffer>;

const WINDOW_BYTES = 2 ** 20;
/** Longest extended header and name that are read, in bytes. */
const LONGEST_EXTENDED = 64 * 1024;
const LONGEST_NAME = 4096;
/** Most files in one archive: more are no shards. */
const MOST_MEMBERS = 2 ** 20;

/** Bytes of a file, many at a time, as archives are read from front to end. */
function windowOver(file: FileHandle): ReadArchive {
  const room = Buffer.allocUnsafe(WINDOW_BYTES);
  let from = 0;
  let held = 0;
  return async (start, bytes) => {
    if (start < from || start + bytes > from + held) {
      from = start;
      held = 0;
      while (held < WINDOW_BYTES) {
        const { bytesRead } = await file.read(room, held, WINDOW_BYTES - held, from + held);
        if (bytesRead === 0) break;
        held += bytesRead;
      }
    }
    return room.subarray(start - from, Math.min(start - from + bytes, held));
  };
}

/**
 * Goes through the files in a tar archive; nothing is unpacked. Folders are passed over.
 * @throws {DataError} that names the archive and the entry: one that is truncated or damaged, compressed, or several in one; names that
 * lead out of a folder; links, devices and sparse files; more than 2²⁰ files.
 */
export async function eachTarMember(
  path: string,
  use: (member: TarMember, read: ReadArchive) => Promise<void>,
): Promise<void> {
  await withRegularFile(path, 'a tar archive', async (file, size) => {
    const read = windowOver(file);
    const refuse = (found: string, advice = 'Pack the shard anew.'): DataError =>
      new DataError({ expected: `a tar archive of plain files in ${path}`, found, advice });
    const head = await read(0, BLOCK);
    const packedBy = compressionOf(head);
    if (packedBy !== undefined)
      throw refuse(
        `one that is packed with ${packedBy}`,
        `Unpack it (${packedBy} -d): pictures are read in any order, and are packed themselves.`,
      );
    let count = 0;
    let longName: string | undefined;
    for (let at = 0; ;) {
      if (at + BLOCK > size) throw refuse(`no end: it is truncated after ${size.toLocaleString('en')} bytes`);
      const block = Buffer.from(await read(at, BLOCK));
      if (isZero(block)) {
        if (at + 2 * BLOCK > size || !isZero(await read(at + BLOCK, BLOCK)))
          throw refuse('an end of one block of zeros instead of two: it is truncated, or damaged');
        await refuseMore(read, at, size, refuse);
        if (longName !== undefined) throw refuse('a long name of nothing');
        return;
      }
      const header = tarHeader(block);
      if (typeof header === 'string') throw refuse(`${visibly(header)} (at byte ${at})`);
      const start = at + BLOCK;
      const { kind, bytes } = header;
      if (start + bytes > size)
        throw refuse(
          `${visibly(header.name)} with ${bytes.toLocaleString('en')} bytes, of which ${(size - start).toLocaleString('en')} are there: it is truncated, or damaged`,
        );
      at = start + Math.ceil(bytes / BLOCK) * BLOCK;
      if (kind === 'folder') {
        longName = undefined;
      } else if (kind === 'file') {
        const name = longName ?? header.name;
        longName = undefined;
        refuseName(name, refuse);
        if (++count > MOST_MEMBERS)
          throw refuse(
            `more than ${MOST_MEMBERS.toLocaleString('en')} files`,
            'Pack them into several shards.',
          );
        await use({ name, start, bytes }, read);
      } else {
        if (bytes > LONGEST_EXTENDED)
          throw refuse(
            `a header of ${bytes.toLocaleString('en')} bytes, ${visibly(header.name)}; ${LONGEST_EXTENDED.toLocaleString('en')} are read`,
          );
        const content = Buffer.from(await read(start, bytes));
        longName =
          kind === 'long name' ? nameIn(content, refuse) : (extendedName(content, kind, refuse) ?? longName);
      }
    }
  });
}

type Refuse = (found: string, advice?: string) => DataError;

/** Behind its end an archive is filled up with zeros; anything else would be passed over in silence. */
async function refuseMore(read: ReadArchive, end: number, size: number, refuse: Refuse): Promise<void> {
  for (let at = end; at < size; at += WINDOW_BYTES) {
    if (isZero(await read(at, Math.min(WINDOW_BYTES, size - at)))) continue;
    throw refuse('more behind its end: several archives in one file, perhaps');
  }
}

function refuseName(name: string, refuse: Refuse): void {
  const parts = name.split(/[/\\]/);
  if (name === '' || name.length > LONGEST_NAME)
    throw refuse(`a file with a name of ${name.length} characters`);
  if (parts.includes('..') || name.startsWith('/') || name.startsWith('\\') || /^[a-z]:/i.test(name))
    throw refuse(`the name ${visibly(name)}, which leads out of a folder`);
}

function nameIn(content: Buffer, refuse: Refuse): string {
  const name = textOf(content);
  if (name !== undefined) return name;
  throw refuse('a name that is not UTF-8');
}

/** Keys of an extended header that change what the archive holds; times, owners and comments do not. */
const REFUSED_KEY = /^(?:GNU\.sparse\.|linkpath$|size$|SCHILY\.realsize$)/;

/**
 * The name in an extended header (POSIX.1-2001: lines of "length key=value", length included).
 * @throws {DataError} where it says what is not read: another size, a link, a sparse file.
 */
function extendedName(
  content: Buffer,
  kind: 'extended' | 'extended for all',
  refuse: Refuse,
): string | undefined {
  let name: string | undefined;
  for (let at = 0; at < content.byteLength;) {
    const space = content.indexOf(0x20, at);
    const digits = space < 0 ? '' : content.toString('latin1', at, space);
    const length = /^\d{1,6}$/.test(digits) ? Number(digits) : 0;
    const line = content.subarray(space + 1, at + length - 1);
    const equals = line.indexOf(0x3d);
    if (length === 0 || at + length > content.byteLength || content[at + length - 1] !== 0x0a || equals < 1)
      throw refuse('an extended header that is damaged');
    const key = line.toString('latin1', 0, equals);
    if (REFUSED_KEY.test(key) || (kind === 'extended for all' && key === 'path'))
      throw refuse(`an extended header with ${visibly(key)}`, 'Pack the shard anew, with plain files alone.');
    if (key === 'path') name = nameIn(line.subarray(equals + 1), refuse);
    at += length;
  }
  return name;
}

/** The program that unpacks a file, by its first bytes. */
function compressionOf(head: Buffer): string | undefined {
  const start = head.toString('latin1', 0, 6);
  if (start.startsWith('\x1f\x8b')) return 'gzip';
  if (start.startsWith('BZh')) return 'bzip2';
  if (start.startsWith('\x28\xb5\x2f\xfd')) return 'zstd';
  return start === '\xfd7zXZ\0' ? 'xz' : undefined;
}
