import type { CharacterSpan } from '../tokenizer/span-tokens';
import type { FoundTold, ToldPicture } from './told-data';

/** An object that a text names. */
export interface GroundedObject {
  /** Left, top, right and bottom in shares of the picture's width and height. */
  readonly box: readonly [number, number, number, number];
  /** Characters of the text that name it. */
  readonly spans: readonly CharacterSpan[];
}

/** A picture, a text about it, and the objects that the text names. */
export interface GroundedExample extends ToldPicture {
  readonly objects: readonly GroundedObject[];
}

export type FoundGroundings = FoundTold<GroundedExample>;
