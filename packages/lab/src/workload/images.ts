import { z } from 'zod';
import { pathOption } from '../options/path';

/** Where the pictures lie that a file with captions or labels names. */
export const imagesShape = {
  images: pathOption('pictures')
    .min(1)
    .optional()
    .describe(
      'Folder of the pictures that a file of captions or labels names; the default depends on its format',
    ),
};
const imagesOptions = z.object(imagesShape);

/** The folder among options, where there is one; others may stand beside it. */
export function imagesOf(options: unknown): { readonly images?: string } {
  const { images } = imagesOptions.parse(options);
  return images === undefined ? {} : { images };
}
