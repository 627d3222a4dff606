import { basename, dirname, join } from 'node:path';
import type { Splits } from '@winnow/core';
import { counted } from '@winnow/core';
import { visibly } from '../failure/visible';
import type { PictureCache } from '../picture/pack';
import { grouped } from '../split/grouped';
import type { PictureContents } from './picture-contents';

type SplitName = keyof Splits<unknown>;

/** Paths of the pictures of each split. */
export type SplitPaths = Readonly<Record<SplitName, readonly string[]>>;

/** Pictures of one split that are, byte for byte, in another as well. */
export interface SharedPictures {
  readonly of: SplitName;
  readonly alsoIn: SplitName;
  /** Each with one that is the same. */
  readonly pictures: readonly { readonly path: string; readonly same: string }[];
}

/** Those by which a model is judged first: a picture that was trained on flatters them. */
const pairs = [
  ['test', 'train'],
  ['validation', 'train'],
  ['test', 'validation'],
] as const satisfies readonly (readonly [SplitName, SplitName])[];

/**
 * Finds the pictures that several splits share, by what is in their files.
 * @param cache Where hashes of files are kept for the next time.
 * @throws {DataError} that names the first file that cannot be read.
 */
export async function sharedPictures(
  splits: SplitPaths,
  contents: PictureContents,
  cache: PictureCache | undefined,
): Promise<SharedPictures[]> {
  // In the order of the data's identity, whose hashes are kept.
  const all = (['train', 'validation', 'test'] as const).flatMap((split) =>
    splits[split].map((path) => ({ split, path })),
  );
  const words = await contents(
    all.map(({ path }) => path),
    cache,
  );
  const known = all.map(({ split, path }, place) => ({ split, path, word: words[place] ?? path }));
  const bySplit = grouped(known, ({ split }) => split);
  return pairs.flatMap(([of, alsoIn]) => {
    const there = new Map((bySplit.get(alsoIn) ?? []).map(({ word, path }) => [word, path]));
    const pictures = (bySplit.get(of) ?? []).flatMap(({ path, word }) => {
      const same = there.get(word);
      return same === undefined ? [] : [{ path, same }];
    });
    return pictures.length === 0 ? [] : [{ of, alsoIn, pictures }];
  });
}

const NAMED = 3;

/** The last two parts of a path: class folder and file. */
const shortly = (path: string): string => visibly(join(basename(dirname(path)), basename(path)));

/** Describes what {@link sharedPictures} found, a line for two splits; nothing for nothing. */
export const duplicateNotes = (shared: readonly SharedPictures[]): string[] =>
  shared.map(({ of, alsoIn, pictures }) => {
    const names = pictures.slice(0, NAMED).map(({ path, same }) => `${shortly(path)} = ${shortly(same)}`);
    const more = pictures.length > NAMED ? ', …' : '';
    return (
      `duplicates across splits: ${counted(pictures.length, 'picture')} of ${of} ` +
      `${pictures.length === 1 ? 'is' : 'are'} also in ${alsoIn}, byte for byte: ${names.join(', ')}${more}`
    );
  });
