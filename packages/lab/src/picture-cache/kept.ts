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
}

/** Where the pictures of a dataset are kept once they are decoded, and whether all of them are looked at first. */
export function picturesKept({
  preload,
  cacheMemory,
  cacheDisk,
}: KeptChoice): Pick<ImageOptions, 'preload' | 'cacheBytes' | 'pictureCache'> {
  const folder = cacheFolder();
  return {
    preload: preload === 'never' ? false : preload || 'background',
    cacheBytes: sizeOf(cacheMemory) ?? Math.floor(availableMemoryBytes() * MEMORY_SHARE),
    pictureCache: pictureCacheIn(folder, sizeOf(cacheDisk) ?? roomIn(folder)),
  };
}

const sizeOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : bytesOfSize(text);
