import type { PictureCache } from '../picture/pack';

/**
 * Identifies the pictures at some paths, whatever they are called: one word for each, the same for the same picture.
 */
export type PictureContents = (
  paths: readonly string[],
  cache: PictureCache | undefined,
) => Promise<readonly string[]>;
