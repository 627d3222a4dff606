import { type PictureSize, sidesOf } from '@winnow/core';

/** Whether both sides of the pictures that a configuration names are multiples of the patches. */
export const hasWholePatches = ({
  image_size,
  patch_size,
}: {
  readonly image_size: PictureSize;
  readonly patch_size: number;
}): boolean => Object.values(sidesOf(image_size)).every((side) => side % patch_size === 0);
export const wholePatches = { path: ['image_size'], message: 'expected a multiple of patch_size' };
