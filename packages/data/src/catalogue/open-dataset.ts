import { emoji, labelledEmoji } from '../emoji/emoji';
import { kindAt } from '../folder/entries';
import { type ImageFolderOptions, type SetAside, imageFolder, readLayout } from '../folder/image-folder';
import { type DataIdentity, identityOfLabelled } from '../identity/data-identity';
import type { FoundImageClassificationData } from '../labelled/classification';
import type { ImageOptions } from '../picture/image-options';
import { unknownData } from './unknown-data';

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
    find: () => labelledEmoji('category'),
  },
  {
    name: 'emoji-subcategory',
    description: 'the same drawings and split, 98 subcategories',
    open: (options: ImageFolderOptions) => emoji('subcategory', options),
    find: () => labelledEmoji('subcategory'),
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
): Promise<FoundImageClassificationData> {
  const known = embedded.find(({ name }) => name === spec);
  if (known !== undefined) return known.open(options);
  await checkFolder(spec);
  return imageFolder(spec, options);
}

/**
 * Identifies the content of an embedded dataset, or of pictures in folders. Nothing is decoded.
 * @param pictureCache Where hashes of files are kept for the next time.
 * @throws {DataError} when there is no such data, it is not as it should be, or a file cannot be read.
 */
export async function identifyDataset(
  spec: string,
  { pictureCache, ...options }: SetAside & Pick<ImageOptions, 'pictureCache'> = {},
): Promise<DataIdentity> {
  const known = embedded.find(({ name }) => name === spec);
  if (known === undefined) await checkFolder(spec);
  return identityOfLabelled(
    known === undefined ? await readLayout(spec, options) : await known.find(),
    pictureCache,
  );
}

/** Names of files with captions, which are data of another task. */
const CAPTION_FILE = /\.(?:csv|json)$/i;

async function checkFolder(spec: string): Promise<void> {
  if ((await kindAt(spec)) === 'folder') return;
  const names = embedded.map(({ name }) => name);
  const captions = CAPTION_FILE.test(spec) ? ' (files with captions are for --task retrieval)' : '';
  const expected = `a dataset: ${names.join(', ')}, or the path of a folder of pictures${captions}`;
  throw await unknownData(spec, expected, names);
}
