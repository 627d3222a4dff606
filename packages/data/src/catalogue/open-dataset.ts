import { emoji, labelledEmoji } from '../emoji/emoji';
import type { DataError } from '../failure/data-error';
import { kindAt } from '../folder/entries';
import { type ImageFolderOptions, readLayout } from '../folder/image-folder';
import { type DataIdentity, identityOfLabelled } from '../identity/data-identity';
import {
  type FoundImageClassificationData,
  type LabelledSplits,
  classificationData,
} from '../labelled/classification';
import { labelFormat, labelTable } from '../labelled/label-table';
import type { SetAside } from '../labelled/set-aside';
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

/** Options of pictures with classes, wherever they come from. */
export interface DatasetOptions extends ImageFolderOptions {
  /** The folder below which the pictures of a table lie; by default that of the table. Others have no use for it. */
  readonly images?: string;
}

/**
 * Opens an embedded dataset by its name, or pictures in folders, or a table of pictures and labels, by their path. A name goes
 * before a folder of the same name; './emoji-category' means the folder.
 * @throws {DataError} when there is neither, or the data is not as it should be.
 * @throws {RangeError} on options outside their range.
 */
export async function openDataset(
  spec: string,
  options: DatasetOptions,
): Promise<FoundImageClassificationData> {
  const known = embedded.find(({ name }) => name === spec);
  if (known !== undefined) return withoutImages(await known.open(options), options);
  const found = await readLabelled(spec, options);
  const data = await classificationData(found, options, 'standard');
  return labelFormat(spec) === undefined ? withoutImages(data, options) : data;
}

/** Says that a folder of pictures was named for data that are no table. Several datasets of one command share it. */
const withoutImages = (
  data: FoundImageClassificationData,
  { images }: Pick<DatasetOptions, 'images'>,
): FoundImageClassificationData =>
  images === undefined
    ? data
    : { ...data, notes: [...data.notes, `--images ${images} is for tables, and not used here`] };

/**
 * Identifies the content of an embedded dataset, of pictures in folders or of a table of labels. Nothing is decoded.
 * @param pictureCache Where hashes of files are kept for the next time.
 * @throws {DataError} when there is no such data, it is not as it should be, or a file cannot be read.
 */
export async function identifyDataset(
  spec: string,
  { pictureCache, ...options }: SetAside & Pick<DatasetOptions, 'images' | 'pictureCache'> = {},
): Promise<DataIdentity> {
  const known = embedded.find(({ name }) => name === spec);
  return identityOfLabelled(
    known === undefined ? await readLabelled(spec, options) : await known.find(),
    pictureCache,
  );
}

type LabelledSource = SetAside & Pick<DatasetOptions, 'images'>;

/** The pictures with their labels at a path. */
async function readLabelled(spec: string, options: LabelledSource): Promise<LabelledSplits> {
  const kind = await kindAt(spec);
  const format = kind === 'file' ? labelFormat(spec) : undefined;
  if (format !== undefined) return labelTable(spec, format, options);
  if (kind !== 'folder') throw await unknownDataset(spec);
  return readLayout(spec, options);
}

/** Names of files with captions, which are data of another task. */
const CAPTION_FILE = /\.json$/i;

function unknownDataset(spec: string): Promise<DataError> {
  const names = embedded.map(({ name }) => name);
  const captions = CAPTION_FILE.test(spec) ? ' (files with captions are for --task retrieval)' : '';
  const expected = `a dataset: ${names.join(', ')}, or the path of a folder of pictures, or of a table of labels (.csv, .jsonl)${captions}`;
  return unknownData(spec, expected, names);
}
