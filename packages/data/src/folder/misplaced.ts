import { basename, dirname, join, resolve } from 'node:path';
import { DataError } from '../failure/data-error';
import { namedAs } from '../picture/format';
import type { FolderReading } from './class-folders';
import { type Entry, entriesOf, kindAt } from './entries';
import { LAYOUT } from './layout';
import { isSplitName } from './split-names';

/** Folders looked into for what was expected elsewhere. */
const MOST_LOOKED_INTO = 20;
const DEEPEST_LOOKED_INTO = 3;
const NAMED = 3;

const hasPictures = (entries: readonly Entry[]): boolean =>
  entries.some(({ kind, path }) => kind === 'file' && namedAs(path) === 'read');

/** Whether pictures lie in a folder as in one of a class: right in it, in a folder `images`, or in folders below it if asked. */
async function holdsPictures(path: string, nested: boolean, deepest = DEEPEST_LOOKED_INTO): Promise<boolean> {
  const entries = await entriesOf(path);
  if (hasPictures(entries)) return true;
  const folders = entries.filter(({ name, kind }) => kind === 'folder' && (nested || name === 'images'));
  for (const folder of folders.slice(0, MOST_LOOKED_INTO)) {
    if (deepest > 0 && (await holdsPictures(folder.path, nested, nested ? deepest - 1 : 0))) return true;
  }
  return false;
}

const named = (folders: readonly Entry[]): string =>
  `${folders
    .slice(0, NAMED)
    .map(({ name }) => name)
    .join(', ')}${folders.length > NAMED ? ', …' : ''}`;

/** A root without a folder `train`: class folders that are to be divided, or a mistake. */
export type WithoutTrain = 'class folders' | DataError;

/**
 * Tells what lies in a root without a folder `train`: class folders, or else the error with advice by what lies there: the
 * splits one level down, the classes of one split, or nothing of use.
 */
export async function withoutTrain(
  root: string,
  entries: readonly Entry[],
  { nested = false }: FolderReading,
): Promise<WithoutTrain> {
  const expected = `the folder ${join(root, 'train')} with one folder of pictures per class, or such folders right in ${root}`;
  const folders = entries.filter(({ kind }) => kind === 'folder');
  const deeper: Entry[] = [];
  const classes: Entry[] = [];
  for (const folder of folders.slice(0, MOST_LOOKED_INTO)) {
    if ((await kindAt(join(folder.path, 'train'))) === 'folder') {
      deeper.push(folder);
    } else if (await holdsPictures(folder.path, nested)) classes.push(folder);
  }
  const [first] = deeper;
  if (first !== undefined) {
    return new DataError({
      expected,
      found: `it one level down, in ${named(deeper)}`,
      advice: `Give that folder: --data ${first.path}`,
    });
  }
  const above = dirname(resolve(root));
  if (isSplitName(basename(resolve(root))) && (await kindAt(join(above, 'train'))) === 'folder') {
    return new DataError({
      expected,
      found: `the classes of one split right in it (${named(classes)})`,
      advice: `Give the folder of all splits: --data ${above}`,
    });
  }
  if (classes.length > 0) return 'class folders';
  for (const folder of nested ? [] : folders.slice(0, MOST_LOOKED_INTO)) {
    if (!(await holdsPictures(folder.path, true))) continue;
    return new DataError({
      expected,
      found: `pictures in folders below ${folder.path} alone`,
      advice: `Say --nested if ${folder.name} is a class, or lay the dataset out as ${LAYOUT}.`,
    });
  }
  return new DataError({
    expected,
    found: hasPictures(entries) ? 'pictures right in it, of no class' : 'no such folder',
    advice: `Lay the dataset out as ${LAYOUT}.`,
  });
}
