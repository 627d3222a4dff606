import { randomStream } from '@winnow/core';
import type { EmojiVendor } from '../emoji/records';
import { type PairRule, composed } from './compose';
import { type SceneDrawings, sceneDrawings } from './drawings';
import { sceneOf } from './occlusion';
import type { Scene } from './scene';

/** The splits of scenes: who drew their objects, which concept–colour pairs they have, and their number by default. */
export const sceneSplits = {
  train: { vendor: 'google', pairs: 'trained', size: 8000 },
  validation: { vendor: 'google', pairs: 'trained', size: 1000 },
  /** Test A: drawings of a vendor that was never trained on. */
  'new drawings': { vendor: 'twitter', pairs: 'trained', size: 2000 },
  /** Test B: each scene has a concept in a colour that it never had in training. */
  'new pairs': { vendor: 'google', pairs: 'one held out', size: 2000 },
} as const satisfies Readonly<
  Record<string, { readonly vendor: EmojiVendor; readonly pairs: PairRule; readonly size: number }>
>;
export type SceneSplit = keyof typeof sceneSplits;

export interface SceneOptions {
  /** Default 0. */
  readonly seed?: number;
  /** S: the side of a picture, 64 to 224 pixels. Default 96. */
  readonly side?: number;
}

export const DEFAULT_SCENE_SIDE = 96;
const SMALLEST_SIDE = 64;
const LARGEST_SIDE = 224;

/** Makes scenes by their number. */
export interface SceneSource {
  readonly seed: number;
  /** S, in pixels. */
  readonly side: number;
  /** The scene of an index ≥ 0, whatever others there are. */
  at(split: SceneSplit, index: number): Scene;
  drawingsOf(split: SceneSplit): SceneDrawings;
}

/**
 * Reads the drawings, of which scenes are then made without waiting.
 * @throws {RangeError} on a side out of range. @throws {DataError} when drawings are missing.
 */
export async function sceneSource({
  seed = 0,
  side = DEFAULT_SCENE_SIDE,
}: SceneOptions = {}): Promise<SceneSource> {
  if (!Number.isInteger(side) || side < SMALLEST_SIDE || side > LARGEST_SIDE) {
    throw new RangeError(`expected a side of ${SMALLEST_SIDE} to ${LARGEST_SIDE} pixels, got ${side}`);
  }
  const drawings = { google: await sceneDrawings('google'), twitter: await sceneDrawings('twitter') };
  const drawingsOf = (split: SceneSplit) => drawings[sceneSplits[split].vendor];
  return {
    seed,
    side,
    drawingsOf,
    at: (split, index) => {
      const random = randomStream(seed, 'scene', split, index);
      const { pairs } = sceneSplits[split];
      return sceneOf(composed({ side, pairs }, drawingsOf(split), random), drawingsOf(split));
    },
  };
}
