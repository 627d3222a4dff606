import { realpath } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { DataError } from '../failure/data-error';
import { explained } from '../failure/system-failure';
import { type Contents, contentsOf } from '../folder/class-folders';
import { entriesOf, kindAt } from '../folder/entries';
import { passedOverNotes } from '../folder/passed-over';

/** A picture that cannot be used, and why: a sentence that names it. */
export interface BrokenPicture {
  readonly picture: string;
  readonly problem: string;
}

/** The files that names stand for. */
export interface FoundPictures {
  /** Each file once, in the order of the names, those of a folder or pattern in order of their own; not opened yet. */
  readonly paths: readonly string[];
  /** Pictures in the folders that are in no format that is read. */
  readonly broken: readonly BrokenPicture[];
  /** Lines for a person on what was passed over in the folders. */
  readonly notes: readonly string[];
}

/**
 * Finds pictures by names: a file; a folder, with all folders below it, of which hidden entries and files that are no
 * pictures are passed over; or a pattern such as `photos/*.jpg`, for files alone. A name that is there is no pattern,
 * and one of nothing is taken for a file: reading it says that it is not there.
 * @throws {DataError} when a folder has no picture or cannot be listed, or a pattern finds nothing.
 */
export async function findPictures(named: readonly string[]): Promise<FoundPictures> {
  const paths = new Map<string, string>();
  const broken: BrokenPicture[] = [];
  const notes: string[] = [];
  const add = (path: string): void => {
    const place = resolve(path);
    if (!paths.has(place)) paths.set(place, path);
  };
  for (const name of named) {
    // Whoever reads the file says what is wrong with it.
    const kind = await kindAt(name).catch(() => 'file' as const);
    if (kind === 'folder') {
      const found = await below(name);
      if (found.pictures.length + found.unusable.length === 0) throw noPictures(`pictures in ${name}`);
      found.pictures.forEach(add);
      for (const { path, reason } of found.unusable) broken.push(brokenPicture(path, reason));
      notes.push(...passedOverNotes(name, found.passedOver).map((note) => `${name}: ${note}`));
    } else if (kind === undefined && isDynamicPattern(name)) {
      (await matches(name)).forEach(add);
    } else {
      add(name);
    }
  }
  return { paths: [...paths.values()], broken, notes };
}

/** Everything in a folder and those below it; behind symbolic links too, but each folder once. */
async function below(root: string): Promise<Contents> {
  const visited = new Set<string>();
  const all: Contents[] = [];
  const visit = async (folder: string): Promise<void> => {
    const place = await realpath(folder).catch((cause: unknown) => {
      throw explained(cause, `a folder at ${folder}`);
    });
    if (visited.has(place)) return;
    visited.add(place);
    const entries = await entriesOf(folder);
    all.push(await contentsOf(entries.filter(({ kind }) => kind !== 'folder')));
    for (const { path, kind } of entries) if (kind === 'folder') await visit(path);
  };
  await visit(root);
  return {
    pictures: all.flatMap(({ pictures }) => pictures),
    passedOver: all.flatMap(({ passedOver }) => passedOver),
    unusable: all.flatMap(({ unusable }) => unusable),
  };
}

/** The files that a pattern matches, in an order that does not depend on the file system. */
async function matches(pattern: string): Promise<string[]> {
  const found = await glob(pattern, { expandDirectories: false, absolute: isAbsolute(pattern) });
  if (found.length === 0) throw noPictures(`files that match ${pattern}`);
  return found.sort((a, b) => (a < b ? -1 : 1));
}

const brokenPicture = (picture: string, reason: string): BrokenPicture => ({
  picture,
  problem: `expected a JPEG, PNG, WebP, GIF, TIFF or AVIF picture in ${picture}, but found ${reason}. Convert it, or remove it.`,
});

const noPictures = (expected: string): DataError =>
  new DataError({ expected, found: 'none', advice: 'Check the path.' });
