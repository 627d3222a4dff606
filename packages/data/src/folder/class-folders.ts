import { realpath } from 'node:fs/promises';
import pLimit from 'p-limit';
import { DataError } from '../failure/data-error';
import { readHead } from '../file/regular-file';
import { HEAD_BYTES, formatOf, namedAs } from '../picture/format';
import { grouped } from '../split/grouped';
import { AT_A_TIME, type Entry, entriesOf, filesBelow } from './entries';
import type { PassedOver, Unusable } from './passed-over';

/** With {@link AT_A_TIME} files each. */
const CLASSES_AT_A_TIME = 4;

/** The picture files of one class, in order of their names. */
export interface ClassFolder {
  /** In Unicode's composed form (NFC): file systems write the same name in different ways. */
  readonly name: string;
  readonly path: string;
  readonly files: readonly string[];
}

/** The content of a split's folder. */
export interface SplitListing {
  /** Sorted by name. */
  readonly classes: readonly ClassFolder[];
  readonly passedOver: readonly PassedOver[];
  readonly unusable: readonly Unusable[];
}

/** The fate of one entry: used as a picture, passed over, or in the way. */
type Verdict =
  | { readonly picture: string }
  | { readonly passedOver: PassedOver }
  | { readonly unusable: Unusable }
  | Record<never, never>;

/**
 * Decides by content where the name does not say that it is a picture. Where it does, decoding looks at the content: so
 * a folder of a million pictures is listed without opening any.
 */
async function verdictOn({ path, kind }: Entry): Promise<Verdict> {
  switch (kind) {
    case 'folder': {
      const files = await filesBelow(path);
      return files === 0 ? {} : { passedOver: { path, reason: 'deeper', files } };
    }
    case 'other':
      return { passedOver: { path, reason: 'no file', files: 1 } };
    case 'broken link':
      return { unusable: { path, reason: 'a symbolic link that leads nowhere' } };
    case 'circular link':
      return { unusable: { path, reason: 'a symbolic link that leads back to itself' } };
    case 'no name':
      return { unusable: { path, reason: 'a name that is not in UTF-8, by which it cannot be opened' } };
    case 'file': {
      const named = namedAs(path);
      if (named === 'read') return { picture: path };
      if (named === 'raw') return { unusable: { path, reason: 'a raw photograph' } };
      const format = formatOf(await readHead(path, HEAD_BYTES, 'a file'));
      if (format?.isRead === true) return { picture: path };
      if (format !== undefined)
        return { unusable: { path, reason: `a picture in the format ${format.name}` } };
      if (named === 'other') return { unusable: { path, reason: 'by its name a picture in another format' } };
      return { passedOver: { path, reason: 'no picture', files: 1 } };
    }
    default:
      return kind satisfies never;
  }
}

/** Files beside each other, by what becomes of them. */
export interface Contents {
  readonly pictures: readonly string[];
  readonly passedOver: readonly PassedOver[];
  readonly unusable: readonly Unusable[];
}

/** Tells pictures from other entries of a folder. @throws {DataError} when one cannot be looked at. */
export async function contentsOf(entries: readonly Entry[]): Promise<Contents> {
  const limit = pLimit(AT_A_TIME);
  const verdicts = await Promise.all(entries.map((entry) => limit(() => verdictOn(entry))));
  return {
    pictures: verdicts.flatMap((verdict) => ('picture' in verdict ? [verdict.picture] : [])),
    passedOver: verdicts.flatMap((verdict) => ('passedOver' in verdict ? [verdict.passedOver] : [])),
    unusable: verdicts.flatMap((verdict) => ('unusable' in verdict ? [verdict.unusable] : [])),
  };
}

/** Where the pictures of a class may lie instead of right in its folder. */
const INNER = 'images';
/** Folders within each other: deeper ones are a mistake, or a loop. */
const DEEPEST = 32;

/** The contents of a class folder: of the folder `images` where no picture lies right in it, of all folders below it if asked. */
async function contentsOfClass(path: string, nested: boolean): Promise<Contents> {
  const entries = await entriesOf(path);
  if (nested) return nestedContents(path, entries);
  const inner = entries.find(({ name, kind }) => name === INNER && kind === 'folder');
  if (inner === undefined) return contentsOf(entries);
  const outer = await contentsOf(entries.filter((entry) => entry !== inner));
  if (outer.pictures.length > 0) return contentsOf(entries);
  return joined([outer, await contentsOf(await entriesOf(inner.path))]);
}

const joined = (parts: readonly Contents[]): Contents => ({
  pictures: parts.flatMap(({ pictures }) => pictures),
  passedOver: parts.flatMap(({ passedOver }) => passedOver),
  unusable: parts.flatMap(({ unusable }) => unusable),
});

/** @throws {DataError} when folders lie within each other without end. */
async function nestedContents(
  path: string,
  entries: readonly Entry[],
  above: readonly string[] = [],
): Promise<Contents> {
  const place = await realpath(path);
  if (above.includes(place) || above.length >= DEEPEST) {
    throw new DataError({
      expected: `folders of pictures within each other, at most ${DEEPEST} deep`,
      found: above.includes(place) ? `${path}, a link to a folder above it` : `${path}, which is deeper`,
      advice: 'Remove the link or the folder.',
    });
  }
  const folders = entries.filter(({ kind }) => kind === 'folder');
  const parts = [await contentsOf(entries.filter(({ kind }) => kind !== 'folder'))];
  for (const folder of folders) {
    parts.push(await nestedContents(folder.path, await entriesOf(folder.path), [...above, place]));
  }
  return joined(parts);
}

/** The reading of class folders. */
export interface FolderReading {
  /** Take the pictures in all folders below a class folder, too. Default false: they are passed over, with a note. */
  readonly nested?: boolean;
}

/**
 * The class folders of one split, and what else lies there. Symbolic links are followed, hidden entries are not looked
 * at. Pictures may lie in a folder `images` of each class.
 * @throws {DataError} when there is no class folder, a folder cannot be listed, or two have the same name but for the
 *   way in which it is written.
 */
export async function classFolders(
  splitPath: string,
  { nested = false }: FolderReading = {},
): Promise<SplitListing> {
  const entries = await entriesOf(splitPath);
  const folders = entries.filter(({ kind }) => kind === 'folder');
  const beside = await contentsOf(entries.filter(({ kind }) => kind !== 'folder'));
  if (folders.length === 0) throw noClasses(splitPath, beside.pictures.length);
  const limit = pLimit(CLASSES_AT_A_TIME);
  const listed = await Promise.all(
    folders.map(async ({ name, path }) => {
      const contents = await limit(() => contentsOfClass(path, nested));
      return { ...contents, name: name.normalize('NFC'), path, files: contents.pictures };
    }),
  );
  refuseTwins(listed);
  return {
    classes: listed
      .map(({ name, path, files }) => ({ name, path, files }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    passedOver: [
      ...beside.pictures.map((path) => ({ path, reason: 'beside', files: 1 }) as const),
      ...beside.passedOver,
      ...listed.flatMap(({ passedOver }) => passedOver),
    ],
    unusable: [...beside.unusable, ...listed.flatMap(({ unusable }) => unusable)],
  };
}

function noClasses(splitPath: string, loosePictures: number): DataError {
  return new DataError({
    expected: `one folder of pictures per class in ${splitPath}`,
    found: loosePictures === 0 ? 'no folder' : `no folder, but ${loosePictures} pictures right in it`,
    advice: 'Put the pictures of each class into a folder of the name of the class.',
  });
}

function refuseTwins(folders: readonly { readonly name: string; readonly path: string }[]): void {
  const twins = [...grouped(folders, ({ name }) => name)].find(([, same]) => same.length > 1);
  if (twins === undefined) return;
  const [name, same] = twins;
  throw new DataError({
    expected: `one folder for the class ${name}`,
    found: `${same.length} whose names differ only in how Unicode writes them: ${same
      .map(({ path }) => JSON.stringify(path).replace(/[^\x20-\x7e]/g, escaped))
      .join(' and ')}`,
    advice: 'Move their pictures into one folder.',
  });
}

const escaped = (sign: string): string => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
