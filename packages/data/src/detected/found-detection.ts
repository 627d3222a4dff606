import type { Splits } from '@winnow/core';
import type { PictureContents } from '../identity/picture-contents';
import type { PictureFiles } from '../picture/read';
import type { AnnotatedSides } from '../picture/wanted';

/** An object in a picture. */
export interface AnnotatedObject {
  /** Index among the classes. */
  readonly index: number;
  /** Left, top, right and bottom in pixels of the picture as it was annotated, within it. */
  readonly box: readonly [left: number, top: number, right: number, bottom: number];
  /** In pixels², of the object rather than of its box. */
  readonly area: number;
  /** Stands for a crowd of them: it is not learned from, and may be found any number of times. */
  readonly isCrowd: boolean;
}

/** A picture with all objects of some classes; it may have none. */
export interface AnnotatedPicture {
  readonly picture: string;
  /** Sides at which it was annotated, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly objects: readonly AnnotatedObject[];
}

/** Pictures with objects as the data splits them. */
export interface FoundDetection {
  readonly name: string;
  readonly classes: readonly string[];
  /** Notes for a person on how they were found, a line each. */
  readonly notes: readonly string[];
  readonly splits: Readonly<Record<keyof Splits<unknown>, readonly AnnotatedPicture[]>>;
  readonly contents: PictureContents;
  /** Where the files of the pictures come from. Default: the disk. */
  readonly files?: PictureFiles;
  /** Where files say it: pictures of other proportions are refused. */
  readonly annotated?: AnnotatedSides;
}
