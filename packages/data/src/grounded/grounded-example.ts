import type { Splits } from '@winnow/core';
import type { PictureContents } from '../identity/picture-contents';
import type { PictureFiles } from '../picture/read';
import type { CharacterSpan } from '../tokenizer/span-tokens';

/** An object that a text names. */
export interface GroundedObject {
  /** Left, top, right and bottom in shares of the picture's width and height. */
  readonly box: readonly [number, number, number, number];
  /** Characters of the text that name it. */
  readonly spans: readonly CharacterSpan[];
}

/** A picture, a text about it, and the objects that the text names. */
export interface GroundedExample {
  readonly picture: string;
  readonly text: string;
  readonly objects: readonly GroundedObject[];
}

/** Examples as the data splits them. */
export interface FoundGroundings {
  readonly name: string;
  /** Notes for a person on how they were found, a line each. */
  readonly notes: readonly string[];
  readonly splits: Readonly<Record<keyof Splits<unknown>, readonly GroundedExample[]>>;
  readonly contents: PictureContents;
  /** Where the files of the pictures come from. Default: the disk. */
  readonly files?: PictureFiles;
}
