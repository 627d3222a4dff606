import type { Splits } from '@winnow/core';
import type { PictureContents } from '../identity/picture-contents';
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
}

/** All pictures of a dataset as they will be wanted: first those that are used last, as nobody else comes across them for long. */
export const wantedOf = ({ paths }: Pick<PicturesOfSplits, 'paths'>): Wanted[] => [
  ...[...paths.validation, ...paths.test].map((path) => ({ path, augmented: false })),
  ...paths.train.map((path) => ({ path, augmented: true })),
];

/** The name of a decoded picture among others. */
export const pictureKey = ({ path, augmented }: Wanted): string =>
  `${augmented ? 'augmentation' : 'evaluation'} ${path}`;
