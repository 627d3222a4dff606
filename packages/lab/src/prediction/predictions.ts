import type { BrokenPicture, CharacterSpan } from '@winnow/data';
import type { Predictor } from './predictor';
import type { Guess } from '@winnow/core';

/** The answer of a model to one picture. */
export interface PicturePrediction {
  /** Its file, as it was named or found. */
  readonly picture: string;
  /** The likeliest first, at most `top` of them. */
  readonly best: readonly (Guess | FoundBox)[];
}

/** A box that was found in a picture: its name is the words that name it, its index that of the text. */
export interface FoundBox extends Guess {
  /** Left, top, right and bottom, in shares of the picture's sides. */
  readonly box: readonly [left: number, top: number, right: number, bottom: number];
  /** The text that was asked about. */
  readonly text: string;
  /** Characters of it that name the box. */
  readonly spans: readonly CharacterSpan[];
}

/** Questions about pictures. */
export interface Asked {
  readonly top: number;
  readonly batchSize: number;
  readonly signal: AbortSignal | undefined;
}

/** The kinds of answers of a BLIP to pictures. */
export type WrittenKind = 'captions' | 'answers' | 'judgement';

/** The answers of a model to pictures. */
export interface Predictions {
  /**
   * Classes of the model's own, texts that were given, classes for every pixel (probabilities are shares of them), boxes of what texts
   * mean, objects of classes that were given, or what a model writes or judges.
   */
  readonly by: Predictor['by'] | 'pixels' | 'boxes' | 'objects' | WrittenKind;
  /** In the order of the pictures; without those that are broken. */
  readonly predictions: readonly PicturePrediction[];
  /** All pictures that cannot be read, each with the reason. */
  readonly broken: readonly BrokenPicture[];
}
