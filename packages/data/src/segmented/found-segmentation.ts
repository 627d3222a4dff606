import type { Splits } from '@winnow/core';
import type { PictureContents } from '../identity/picture-contents';
import type { PictureFiles } from '../picture/read';
import type { Mask } from './index-png';

/** A picture, and where what its pixels show is. */
export interface SegmentedPicture {
  readonly picture: string;
  readonly mask: string;
}

/** Where masks come from: their labels are classes, or 255 where a pixel does not count. */
export interface MaskFiles {
  /** @throws {DataError} naming the file when it is no mask of these classes. */
  read(path: string): Promise<Mask>;
}

/** Pictures with masks, as the data splits them. */
export interface FoundSegmentation {
  readonly name: string;
  /** Names of the classes, in the order of their labels. */
  readonly classes: readonly string[];
  /** Notes for a person on how they were found, a line each. */
  readonly notes: readonly string[];
  readonly splits: Readonly<Record<keyof Splits<unknown>, readonly SegmentedPicture[]>>;
  readonly contents: PictureContents;
  /** Where the files of the pictures come from. Default: the disk. */
  readonly files?: PictureFiles;
  readonly masks: MaskFiles;
}
