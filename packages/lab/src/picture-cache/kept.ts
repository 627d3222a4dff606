import { availableParallelism } from 'node:os';
import { type PictureSize, sidesOf } from '@winnow/core';
import type { ImageOptions } from '@winnow/data';
import { availableMemoryBytes } from '../environment/memory';
import { bytesOfSize } from '../options/reading-ahead';
import { cacheFolder, pictureCacheIn, roomIn } from './picture-cache';

/** Share of the available memory for pictures: parameters, moments, activations and other processes need some, too. */
const MEMORY_SHARE = 1 / 4;

export interface KeptChoice {
  readonly preload: boolean | 'never';
  readonly cacheMemory?: string | undefined;
  readonly cacheDisk?: string | undefined;
  readonly workers?: number | undefined;
}

/**
 * Where the pictures of a dataset are decoded and kept, and whether all of them are looked at first.
 * @param imageSize H and W of the pictures that a model takes, in pixels.
 */
export function picturesKept(
  { preload, cacheMemory, cacheDisk, workers }: KeptChoice,
  imageSize: PictureSize,
): Pick<ImageOptions, 'preload' | 'cacheBytes' | 'pictureCache' | 'workers'> {
  const folder = cacheFolder();
  return {
    preload: preload === 'never' ? false : preload || 'background',
    cacheBytes: sizeOf(cacheMemory) ?? Math.floor(availableMemoryBytes() * MEMORY_SHARE),
    workers: workers ?? workersFor(imageSize),
    pictureCache: pictureCacheIn(folder, sizeOf(cacheDisk) ?? roomIn(folder)),
  };
}

/** The smallest side for threads: of smaller pictures a batch is made in milliseconds, and a thread takes 40 MB. */
const SMALLEST_ON_THREADS = 96;
/** They feed 1,000 pictures of 224 pixels a second (docs/benchmarks.md). */
const MOST_BY_DEFAULT = 16;

const workersFor = (imageSize: PictureSize): number =>
  Math.min(...Object.values(sidesOf(imageSize))) < SMALLEST_ON_THREADS
    ? 0
    : Math.min(MOST_BY_DEFAULT, Math.max(1, availableParallelism() - 1));

const sizeOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : bytesOfSize(text);
