import { z } from 'zod';
import { pictureSizeOption } from '../options/picture-size';

/** The options of a new vision tower's pictures and patches. */
export const pictureShape = {
  imageSize: pictureSizeOption()
    .default(32)
    .describe('Side of the pictures, in pixels, or height x width like 64x32'),
  patchSize: z
    .int()
    .positive()
    .default(8)
    .describe('Side of a patch, in pixels; divides both sides of the pictures'),
};
