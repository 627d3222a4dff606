import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { z } from 'zod';
import { counted } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { firstTen } from '../failure/listing';
import { visibly } from '../failure/visible';
import { pictureFile } from '../file/regular-file';
import { isSame, isSettled, look, lookAt } from '../identity/look';
import { namedAs } from '../picture/format';
import { type PictureCache, sealed, unsealed } from '../picture/pack';
import { type ReadArchive, type TarMember, eachTarMember } from './tar-members';
import { type Said, saidIn, sayingExtensions } from './said';

/** A picture in a shard, and what the files beside it say of it. */
export interface ShardExample extends Said {
  /** The name that the files of an example share, up to the first dot. */
  readonly key: string;
  readonly picture: TarMember;
  /** SHA-256 of the picture's file, in hexadecimal digits. */
  readonly hash: string;
}

export interface ShardIndex {
  readonly examples: readonly ShardExample[];
  /** Files that there is no use for, by their extension. */
  readonly others: Readonly<Record<string, number>>;
}

const DIGITS = 64;
const texts = z.array(z.string().nullable());
const numbers = z.array(z.int().nonnegative());

/** An index as it is kept: a column for each thing, as a million small objects take long to check. */
const kept = z.object({
  look,
  keys: z.array(z.string()),
  names: z.array(z.string()),
  starts: numbers,
  bytes: numbers,
  /** One after the other. */
  hashes: z.string(),
  labels: texts,
  captions: texts,
  others: z.record(z.string(), z.number()),
});
type Kept = z.output<typeof kept>;

const toColumns = ({ examples, others }: ShardIndex): Omit<Kept, 'look'> => ({
  keys: examples.map(({ key }) => key),
  names: examples.map(({ picture }) => picture.name),
  starts: examples.map(({ picture }) => picture.start),
  bytes: examples.map(({ picture }) => picture.bytes),
  hashes: examples.map(({ hash }) => hash).join(''),
  labels: examples.map(({ label = null }) => label),
  captions: examples.map(({ caption = null }) => caption),
  others,
});

/** The index of such columns; undefined where they are not as long as each other. */
function fromColumns({
  keys,
  names,
  starts,
  bytes,
  hashes,
  labels,
  captions,
  others,
}: Kept): ShardIndex | undefined {
  const columns = [names, starts, bytes, labels, captions];
  if (hashes.length !== keys.length * DIGITS || columns.some(({ length }) => length !== keys.length))
    return undefined;
  const examples = keys.map((key, at): ShardExample => {
    const [label, caption] = [labels[at] ?? undefined, captions[at] ?? undefined];
    return {
      key,
      picture: { name: names[at] ?? '', start: starts[at] ?? 0, bytes: bytes[at] ?? 0 },
      hash: hashes.slice(at * DIGITS, (at + 1) * DIGITS),
      ...(label === undefined ? {} : { label }),
      ...(caption === undefined ? {} : { caption }),
    };
  });
  return { examples, others };
}

/**
 * The contents of a shard, a tar archive in which the files of an example share a name up to the first dot of its last part: a picture, with
 * what says its label (`.cls`, or `.json`) or its text (`.txt`, or `.json`). A shard that looks as it did is not read again.
 * @param cache Where that is remembered.
 * @throws {DataError} that names the shard and the file: what {@link eachTarMember} refuses, files that are too large, examples of two
 * pictures or none, and what cannot be read of those beside them.
 */
export async function shardIndex(path: string, cache: PictureCache | undefined): Promise<ShardIndex> {
  const begunNs = BigInt(Date.now()) * 1_000_000n;
  const now = await lookAt(path);
  const key = createHash('sha256')
    .update(`shard 2 ${resolve(path)}`)
    .digest('hex');
  const before = keptIn(await cache?.read(key));
  const known = before !== undefined && isSame(before.look, now) ? fromColumns(before) : undefined;
  if (known !== undefined) return known;
  const found = await readShard(path);
  if (isSettled(now, begunNs))
    await cache?.write(key, sealed(Buffer.from(JSON.stringify({ look: now, ...toColumns(found) }))));
  return found;
}

function keptIn(content: Uint8Array | undefined): Kept | undefined {
  const bytes = content === undefined ? undefined : unsealed(content);
  try {
    return bytes && kept.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data;
  } catch {
    return undefined;
  }
}

/** Longest file that says something of a picture, in bytes. */
const LONGEST_SAYING = 256 * 1024;
const PIECE = 2 ** 20;

interface Draft {
  picture?: TarMember;
  hash?: string;
  said: Said;
}

async function readShard(path: string): Promise<ShardIndex> {
  const drafts = new Map<string, Draft>();
  const others: Record<string, number> = {};
  const seen = new Set<string>();
  const refuse = (found: string, advice: string): DataError =>
    new DataError({ expected: `pictures with what is said of them in ${path}`, found, advice });
  await eachTarMember(path, async (member, read) => {
    const { key, extension } = partsOf(member.name);
    // Two dots make a picture that is none of the example's own: a map of its parts, say.
    const isPicture = !extension.includes('.') && namedAs(`picture.${extension}`) !== undefined;
    const says = sayingExtensions.has(extension);
    if (!isPicture && !says) {
      others[extension] = (others[extension] ?? 0) + 1;
      return;
    }
    if (seen.has(member.name))
      throw refuse(
        `${visibly(member.name)} twice`,
        'Pack it once: which of the two is meant cannot be told.',
      );
    seen.add(member.name);
    const most = isPicture ? pictureFile.mostBytes : LONGEST_SAYING;
    if (member.bytes > most)
      throw refuse(
        `${visibly(member.name)} of ${member.bytes.toLocaleString('en')} bytes; at most ${most.toLocaleString('en')} are read`,
        'Make it smaller, or take it out.',
      );
    const draft = drafts.get(key) ?? { said: {} };
    drafts.set(key, draft);
    if (!isPicture) {
      const said = saidIn(extension, Buffer.from(await read(member.start, member.bytes)));
      if (typeof said === 'string')
        throw refuse(`${said} in ${visibly(member.name)}`, 'Mend this file, or take the example out.');
      draft.said = { ...said, ...draft.said, ...(extension === 'json' ? {} : said) };
      return;
    }
    if (draft.picture !== undefined)
      throw refuse(
        `two pictures of one name, ${visibly(draft.picture.name)} and ${visibly(member.name)}`,
        'Give each picture a name of its own.',
      );
    draft.picture = member;
    draft.hash = await hashOf(member, read);
  });
  const without = [...drafts].flatMap(([key, { picture }]) => (picture === undefined ? [visibly(key)] : []));
  if (without.length > 0)
    throw refuse(
      `${counted(without.length, 'example')} without one:${firstTen(without)}\n`,
      'Add the pictures, or take out what is said of them.',
    );
  const examples = [...drafts].flatMap(([key, { picture, hash, said }]) =>
    picture === undefined || hash === undefined ? [] : [{ key, picture, hash, ...said }],
  );
  return { examples, others };
}

/** A name as WebDataset reads it: the key goes up to the first dot of the last part. */
function partsOf(name: string): { readonly key: string; readonly extension: string } {
  const dot = name.indexOf('.', name.lastIndexOf('/') + 1);
  return dot < 0
    ? { key: name, extension: '' }
    : { key: name.slice(0, dot), extension: name.slice(dot + 1).toLowerCase() };
}

async function hashOf({ start, bytes }: TarMember, read: ReadArchive): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes; at += PIECE) hash.update(await read(start + at, Math.min(PIECE, bytes - at)));
  return hash.digest('hex');
}
