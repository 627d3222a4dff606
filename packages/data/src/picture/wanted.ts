import type { Splits } from '@winnow/core';
import { refuse } from '../failure/refuse';
import { visibly } from '../failure/visible';
import type { PictureContents } from '../identity/picture-contents';
import type { Sides } from './decoding';
import type { PictureFiles } from './read';

/** A picture file, and whether it is decoded for a training that varies it. */
export interface Wanted {
  readonly path: string;
  readonly augmented: boolean;
}

/** Picture files by split, and what is in them. */
export interface PicturesOfSplits {
  readonly paths: Readonly<Record<keyof Splits<unknown>, readonly string[]>>;
  readonly contents: PictureContents;
  /** Where their files come from. Default: the disk. */
  readonly files?: PictureFiles | undefined;
  readonly annotated?: AnnotatedSides | undefined;
}

/** Sides of the picture in a file as it was annotated, where that is known. */
export type AnnotatedSides = (path: string) => Sides | undefined;

/**
 * Sides by path, of pictures that have some.
 * @param source What says them, for messages.
 * @throws {DataError} for pictures of two sizes, of which one is wrong, and the boxes with it; the first ten are named.
 */
export function annotatedSides(
  entries: Iterable<readonly [path: string, sides: Sides]>,
  source: string,
): AnnotatedSides {
  const known = new Map<string, Sides>();
  const other = new Map<string, string>();
  for (const [path, { width, height }] of entries) {
    const before = known.get(path);
    if (before === undefined) known.set(path, { width, height });
    else if (before.width !== width || before.height !== height)
      other.set(path, `${visibly(path)}: ${before.width}×${before.height} and ${width}×${height}`);
  }
  refuse('one size of each picture', source, [...other.values()]);
  return (path) => known.get(path);
}

/** All pictures of a dataset as they will be wanted: first those that are used last, as nobody else comes across them for long. */
export const wantedOf = ({ paths }: Pick<PicturesOfSplits, 'paths'>): Wanted[] => [
  ...[...paths.validation, ...paths.test].map((path) => ({ path, augmented: false })),
  ...paths.train.map((path) => ({ path, augmented: true })),
];

/** The name of a decoded picture among others. */
export const pictureKey = ({ path, augmented }: Wanted): string =>
  `${augmented ? 'augmentation' : 'evaluation'} ${path}`;
