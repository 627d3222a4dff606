import type { ImageClassificationData } from '@winnow/core';
import { emoji } from '../emoji/emoji';
import { DataError } from '../failure/data-error';
import { kindAt } from '../folder/class-folders';
import { type ImageFolderOptions, imageFolder } from '../folder/image-folder';

export interface EmbeddedDataset {
  readonly name: string;
  /** One line for a help text. */
  readonly description: string;
}

const embedded = [
  {
    name: 'emoji-category',
    description: 'emoji by two vendors, 9 categories; tested on drawings never trained on',
    open: (options: ImageFolderOptions) => emoji('category', options),
  },
  {
    name: 'emoji-subcategory',
    description: 'the same drawings and split, 98 subcategories',
    open: (options: ImageFolderOptions) => emoji('subcategory', options),
  },
] as const;

/** The datasets that need nothing but a name. */
export const embeddedDatasets: readonly EmbeddedDataset[] = embedded.map(({ name, description }) => ({
  name,
  description,
}));

/**
 * Opens an embedded dataset by its name, or pictures in folders by their path. A name goes before a folder of the same
 * name; './emoji-category' means the folder.
 * @throws {DataError} when there is neither, or the data is not as it should be.
 * @throws {RangeError} on options outside their range.
 */
export async function openDataset(
  spec: string,
  options: ImageFolderOptions,
): Promise<ImageClassificationData> {
  const known = embedded.find(({ name }) => name === spec);
  if (known !== undefined) return known.open(options);
  if ((await kindAt(spec)) !== 'folder') {
    throw new DataError({
      expected: `a dataset: ${embedded.map(({ name }) => name).join(', ')}, or the path of an image folder`,
      found: `'${spec}'`,
      advice: 'Check the name, or the path.',
    });
  }
  return imageFolder(spec, options);
}
