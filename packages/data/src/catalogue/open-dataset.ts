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
import { labelledShards } from '../shard/labelled-shards';
import { shardFiles } from '../shard/shard-files';
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

/** All of them: JavaScript tells nobody of one that is misspelt. */
const optionNames = {
  imageSize: true,
  normalisation: true,
  augmentation: true,
  eraseProbability: true,
  evaluationCropShare: true,
  evaluationGeometry: true,
  cacheBytes: true,
  preload: true,
  workers: true,
  pictureCache: true,
  images: true,
  nested: true,
  broken: true,
  heldOutShares: true,
  validationShare: true,
  validationSeed: true,
} satisfies Record<keyof DatasetOptions, true>;

/**
 * Opens an embedded dataset by its name, or pictures in folders, or a table of pictures and labels, by their path. A name goes
 * before a folder of the same name; './emoji-category' means the folder.
 * @throws {DataError} when there is neither, or the data is not as it should be.
 * @throws {RangeError} on options outside their range, or that there are none of: left alone, pictures would be prepared otherwise
 * than was meant.
 */
export async function openDataset(
  spec: string,
  options: DatasetOptions,
): Promise<FoundImageClassificationData> {
  for (const name of Object.keys(options))
    if (!(name in optionNames))
      throw new RangeError(
        `expected options of a dataset (${Object.keys(optionNames).join(', ')}), got ${name}`,
      );
  const known = embedded.find(({ name }) => name === spec);
  if (known !== undefined) {
    const { images, nested, heldOutShares, validationSeed, broken } = options;
    const unused = { images, nested, heldOutShares, validationSeed, broken };
    return withUnused(await known.open(options), unused);
  }
  const found = await readLabelled(spec, options);
  const data = await classificationData(found, options, 'standard');
  const { images, nested } = options;
  if (found.shardOf !== undefined) return withUnused(data, { images, nested });
  return withUnused(data, labelFormat(spec) === undefined ? { images } : { nested });
}

/** Says of options that were given that these data have no use for them. Several datasets of one command share them. */
function withUnused(
  data: FoundImageClassificationData,
  unused: { readonly [Name in keyof typeof uses]?: DatasetOptions[Name] | undefined },
): FoundImageClassificationData {
  const notes = Object.entries(unused).flatMap(([name, value]) => {
    const use = Object.entries(uses).find(([known]) => known === name)?.[1];
    return use === undefined || value === undefined ? [] : [`${use}, and not used here`];
  });
  return notes.length === 0 ? data : { ...data, notes: [...data.notes, ...notes] };
}

/** Flags of the command line, and what they are for. */
const uses = {
  images: '--images is for tables',
  nested: '--nested is for folders of pictures',
  broken: '--broken is for pictures on the disk',
  heldOutShares: '--split-shares is for data without splits',
  validationSeed: '--split-seed is for data without splits',
} as const;

/**
 * Identifies the content of an embedded dataset, of pictures in folders or of a table of labels. Nothing is decoded.
 * @param options `pictureCache`: where hashes of files are kept for the next time.
 * @throws {DataError} when there is no such data, it is not as it should be, or a file cannot be read.
 */
export async function identifyDataset(spec: string, options: LabelledSource = {}): Promise<DataIdentity> {
  const known = embedded.find(({ name }) => name === spec);
  return identityOfLabelled(
    known === undefined ? await readLabelled(spec, options) : await known.find(),
    options.pictureCache,
  );
}

type LabelledSource = SetAside & Pick<DatasetOptions, 'images' | 'nested' | 'broken' | 'pictureCache'>;

/** The pictures with their labels at a path. */
async function readLabelled(spec: string, options: LabelledSource): Promise<LabelledSplits> {
  const shards = await shardFiles(spec);
  if (shards !== undefined) return labelledShards(spec, shards, options);
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
  const expected = `a dataset: ${names.join(', ')}, or the path of a folder of pictures, of a table of labels (.csv, .jsonl), or of shards (.tar, or a pattern like shard-{0000..0123}.tar)${captions}`;
  return unknownData(spec, expected, names);
}
