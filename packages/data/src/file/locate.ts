import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import pLimit from 'p-limit';
import { DataError } from '../failure/data-error';
import { firstTen } from '../failure/listing';
import { explained, isAbsence, systemCode } from '../failure/system-failure';
import { visibly } from '../failure/visible';
import { grouped } from '../split/grouped';

/** Links followed at a time. */
const AT_A_TIME = 16;

/** A picture that a file names, and where that leads. */
export interface NamedPicture {
  readonly name: string;
  readonly path: string;
}

/** Whether a path is that of a folder or of something below it, as the two are written. */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/**
 * Refuses names that lead out of the folder of the pictures: a file with captions may come from anybody.
 * @param source The file that names them.
 * @throws {DataError} that lists the first ten.
 */
export function refuseOutside(folder: string, pictures: readonly NamedPicture[], source: string): void {
  const outside = pictures.filter(
    ({ name, path }) => name.includes('\0') || !isWithin(folder, path) || relative(folder, path) === '',
  );
  if (outside.length === 0) return;
  throw new DataError({
    expected: `names of pictures below the folder ${folder} in ${source}`,
    found: `${outside.length} that lead elsewhere:${firstTen(outside.map(({ name }) => visibly(name)))}\n`,
    advice: 'Name with --images the folder that holds all of the pictures.',
  });
}

/**
 * The entries of a folder by their names in Unicode's composed form: whether each is a link, and how it is written
 * there.
 */
type Listing = ReadonlyMap<string, { readonly name: string; readonly isLink: boolean }>;

const NOTHING: Listing = new Map();

async function listingOf(folder: string): Promise<Listing | undefined> {
  try {
    const found = await readdir(folder, { withFileTypes: true });
    const entries = found.map((entry) => ({ name: entry.name, isLink: entry.isSymbolicLink() }));
    return new Map([
      ...entries.map((entry) => [entry.name.normalize('NFC'), entry] as const),
      ...entries.map((entry) => [entry.name, entry] as const),
    ]);
  } catch (cause) {
    if (isAbsence(cause) || systemCode(cause) === 'ENAMETOOLONG') return undefined;
    throw explained(cause, `the folder of pictures ${folder}`);
  }
}

const find = (listing: Listing, name: string) => listing.get(name) ?? listing.get(name.normalize('NFC'));

/** The folder at a path below `root` whose parts are written in some form of Unicode; undefined when there is none. */
async function folderAt(root: string, path: string): Promise<string | undefined> {
  let at = root;
  for (const part of relative(root, path).split(sep)) {
    if (part === '') continue;
    const entry = find((await listingOf(at)) ?? NOTHING, part);
    if (entry === undefined) return undefined;
    at = join(at, entry.name);
  }
  return at;
}

/** Where something really lies; undefined when there is nothing behind a link. */
async function realPath(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (cause) {
    if (isAbsence(cause) || systemCode(cause) === 'ELOOP') return undefined;
    throw explained(cause, `a picture or a folder of pictures in ${path}`);
  }
}

/**
 * Where pictures really are, by the paths under which they are looked for; those that are not there are left out. File
 * systems keep é as one sign or as
 * two, so names are compared in one form. Folders are listed rather than files looked at one by one: COCO has 123,287 of
 * them.
 * @param folder What all of them lie below; no link may lead out of it.
 * @param source What names them.
 * @throws {DataError} when there is no such folder, or links lead elsewhere: it lists the first ten.
 */
export async function located(
  folder: string,
  paths: readonly string[],
  source: string,
): Promise<ReadonlyMap<string, string>> {
  const root = await realPath(folder);
  if (root === undefined) {
    throw new DataError({
      expected: `the pictures that ${source} names in the folder ${folder}`,
      found: 'no such folder',
      advice: 'Name with --images the folder that holds them.',
    });
  }
  const limit = pLimit(AT_A_TIME);
  const known = new Map<string, string>();
  const outside: string[] = [];
  const follow = async (path: string): Promise<boolean> => {
    const target = await realPath(path);
    if (target === undefined) return false;
    if (!isWithin(root, target)) outside.push(path);
    return true;
  };
  for (const [written, inFolder] of grouped(new Set(paths), dirname)) {
    const direct = await listingOf(written);
    const at = direct === undefined ? await folderAt(folder, written) : written;
    if (at === undefined || !(await follow(at))) continue;
    const listing = direct ?? (await listingOf(at)) ?? NOTHING;
    const links: Promise<void>[] = [];
    for (const path of inFolder) {
      const entry = find(listing, basename(path));
      if (entry === undefined) continue;
      const found = join(at, entry.name);
      if (!entry.isLink) known.set(path, found);
      else links.push(limit(async () => void ((await follow(found)) && known.set(path, found))));
    }
    await Promise.all(links);
  }
  refuseLinks(folder, outside);
  return known;
}

/** @throws {DataError} that lists the first ten pictures that are not there, if there are any. */
export function refuseMissing(missing: readonly string[], source: string): void {
  if (missing.length === 0) return;
  throw new DataError({
    expected: `the pictures that ${source} names`,
    found: `${missing.length} that are not there:${firstTen(missing.map(visibly))}\n`,
    advice: 'Put them there, or name with --images the folder that they lie in.',
  });
}

/** @throws {DataError} that lists the first ten links out of the folder, if there are any. */
function refuseLinks(folder: string, outside: readonly string[]): void {
  if (outside.length === 0) return;
  throw new DataError({
    expected: `pictures that lie in the folder ${folder}`,
    found: `${outside.length} that a symbolic link leads elsewhere:${firstTen(outside.map(visibly))}\n`,
    advice:
      'Copy the pictures into the folder (cp -RL does), or name with --images the folder that they lie in.',
  });
}
