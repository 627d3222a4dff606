import { extname, join } from 'node:path';
import { emojiNames, emojiPairs } from '../emoji/emoji-names';
import { readJson } from '../file/read-json';
import { kindAt } from '../folder/entries';
import { type DataIdentity, identityOfPairs } from '../identity/data-identity';
import { isLabelTable } from '../labelled/label-table';
import { captionTable } from '../pairs/caption-table';
import { checkedPairs } from '../pairs/check';
import { ANNOTATIONS, cocoFile, cocoFolder } from '../pairs/coco-captions';
import { type ImageTextOptions, type TokenizedImageTextData, imageTextData } from '../pairs/image-text-data';
import { karpathyPairs } from '../pairs/karpathy';
import { type FoundPairs, type NamedPairs, type SetAsideOptions, completeSplits } from '../pairs/splits';
import type { PictureCache } from '../picture/pack';
import { areTexts, pairedShards } from '../shard/paired-shards';
import { identityOfScenes } from '../scenes/scene-files';
import { sceneCaptionSets, sceneCaptions, sceneCaptionsTold } from '../scenes/scene-pairs';
import { shardFiles } from '../shard/shard-files';
import type { FoundTold, ToldPicture, ToldPictureOptions } from '../grounded/told-data';
import { type HiddenOptions, type TokenizedHiddenData, hiddenData } from '../regions/hidden-data';
import { type TokenizedRegionPairData, regionPairData } from '../regions/region-pair-data';
import type { RegionOptions } from '../regions/shown-regions';
import type { EmbeddedDataset } from './open-dataset';
import { unknownData } from './unknown-data';

type IdentifyOptions = SetAsideOptions & Pick<ImageTextOptions, 'pictureCache'>;

const embedded = [
  {
    name: 'emoji-names',
    description: 'emoji by two vendors with their names; tested on drawings never trained on',
    open: emojiNames,
    identify: async ({ pictureCache, ...options }: IdentifyOptions) => {
      const found = await emojiPairs();
      return identityOfPairs(completeSplits(found, options), found, pictureCache);
    },
  },
  ...sceneCaptionSets.map((set) => ({
    name: set.name,
    description: set.description,
    open: (options: ImageTextOptions) => sceneCaptions(set, options),
    identify: () => identityOfScenes(set, 'captions'),
  })),
] as const;

/** The datasets of pictures with texts that need nothing but a name. */
export const embeddedImageTextDatasets: readonly EmbeddedDataset[] = embedded.map(
  ({ name, description }) => ({ name, description }),
);

/** Whether a spec names pictures with texts rather than pictures with classes, by what it is; they are not opened. */
export async function namesImageTextData(spec: string): Promise<boolean> {
  if (embedded.some(({ name }) => name === spec)) return true;
  const shards = await shardFiles(spec);
  if (shards !== undefined) return areTexts(shards);
  const kind = await kindAt(spec);
  if (kind === 'folder') return (await kindAt(join(spec, ANNOTATIONS))) === 'folder';
  if (kind !== 'file') return false;
  return !(await isLabelTable(spec));
}

const FORMATS =
  "a folder laid out as COCO, a captions JSON of COCO's or Karpathy's, a CSV table, or shards (.tar)";

async function readPairs(spec: string, images: string | undefined): Promise<NamedPairs> {
  const kind = await kindAt(spec);
  if (kind === 'folder') return cocoFolder(spec, images);
  const extension = kind === 'file' ? extname(spec).toLowerCase() : undefined;
  if (extension === '.csv') return captionTable(spec, images);
  if (extension === '.json') {
    const json = await readJson(spec);
    const isCoco = typeof json === 'object' && json !== null && 'annotations' in json;
    return isCoco ? cocoFile(json, spec, images) : karpathyPairs(json, spec, images);
  }
  const names = embedded.map(({ name }) => name);
  throw await unknownData(spec, `pictures with texts: ${names.join(', ')}, or the path of ${FORMATS}`, names);
}

/**
 * Opens pictures with texts: an embedded dataset by its name, or data on disk by its path, whose format is told by what
 * is there: a folder laid out as COCO, a captions JSON of COCO's or with Karpathy's splits, or a CSV table of pictures
 * and captions. Training pictures are varied by the preset `captions` unless told otherwise (`emoji-names`: `symbols`).
 * @throws {DataError} when there is nothing of the kind, or the data is not as it should be.
 * @throws {RangeError} on options outside their range.
 */
export async function openImageTextDataset(
  spec: string,
  options: ImageTextOptions,
): Promise<TokenizedImageTextData> {
  const known = embedded.find(({ name }) => name === spec);
  if (known !== undefined) return known.open(options);
  return imageTextData(await foundPairs(spec, options), options, 'captions');
}

/**
 * Opens regions of pictures with texts of which something is hidden, and if wanted with questions, by the name of a dataset of scenes with captions.
 * @throws {DataError} when there is nothing of the kind, or the data know no boxes.
 * @throws {RangeError} on options outside their range.
 */
export const openHiddenDataset = async (
  spec: string,
  options: ToldPictureOptions,
  regions: HiddenOptions,
): Promise<TokenizedHiddenData> => hiddenData(await captionsTold(spec), options, regions);

/** The same with nothing hidden, and the groups of pictures and texts. */
export const openRegionPairDataset = async (
  spec: string,
  options: ToldPictureOptions,
  regions: RegionOptions,
): Promise<TokenizedRegionPairData> => regionPairData(await captionsTold(spec), options, regions);

async function captionsTold(spec: string): Promise<FoundTold<ToldPicture>> {
  const set = sceneCaptionSets.find(({ name }) => name === spec);
  if (set !== undefined) return sceneCaptionsTold(set);
  const names = sceneCaptionSets.map(({ name }) => name);
  throw await unknownData(spec, `pictures with captions and boxes: ${names.join(', ')}`, names);
}

/** Whether a spec names pictures with captions and boxes. */
export const namesHiddenData = (spec: string): Promise<boolean> =>
  Promise.resolve(sceneCaptionSets.some(({ name }) => name === spec));

/**
 * Identifies the content of pictures with texts. Nothing is decoded.
 * @param pictureCache Where hashes of files are kept for the next time.
 * @throws {DataError} when there is no such data, it is not as it should be, or a file cannot be read.
 */
export async function identifyImageTextDataset(
  spec: string,
  { images, pictureCache, ...options }: IdentifyOptions & Pick<ImageTextOptions, 'images'> = {},
): Promise<DataIdentity> {
  const known = embedded.find(({ name }) => name === spec);
  if (known !== undefined)
    return known.identify({ ...options, ...(pictureCache === undefined ? {} : { pictureCache }) });
  const found = await foundPairs(spec, { images, pictureCache });
  return identityOfPairs(completeSplits(found, options), found, pictureCache);
}

async function foundPairs(
  spec: string,
  {
    images,
    pictureCache,
  }: { readonly images?: string | undefined; readonly pictureCache?: PictureCache | undefined },
): Promise<FoundPairs> {
  const shards = await shardFiles(spec);
  if (shards !== undefined) {
    const found = await pairedShards(spec, shards, pictureCache);
    const unused = images === undefined ? [] : ['--images is for tables, and not used here'];
    return { ...found, notes: [...found.notes, ...unused] };
  }
  return checkedPairs(await readPairs(spec, images), spec);
}
