import type { DataError } from '../failure/data-error';
import {
  type GroundingDataOptions,
  type TokenizedGroundingData,
  groundingData,
} from '../grounded/grounding-data';
import type { FoundGroundings, GroundedExample } from '../grounded/grounded-example';
import { entityFiles, isEntityFolder } from '../grounded/entity-files';
import { isGroundingFile, mdetrFiles } from '../grounded/mdetr-files';
import { type DataIdentity, identityOfPairs } from '../identity/data-identity';
import type { PictureCache } from '../picture/pack';
import { type TokenizedRegionGroundingData, regionGroundingData } from '../regions/region-grounding-data';
import type { RegionOptions } from '../regions/shown-regions';
import { type SceneSet, identityOfScenes } from '../scenes/scene-files';
import { sceneExpressionSets, sceneGroundings } from '../scenes/scene-groundings';
import { sceneSentenceSets, sceneSentences } from '../scenes/scene-sentences';
import type { EmbeddedDataset } from './open-dataset';
import { type PicturesElsewhere, withoutImages } from './pictures-elsewhere';
import { unknownData } from './unknown-data';

/** The datasets of pictures with texts and boxes that need nothing but a name. */
export const embeddedGroundingDatasets: readonly EmbeddedDataset[] = [
  ...sceneExpressionSets,
  ...sceneSentenceSets,
].map(({ name, description }) => ({ name, description }));

/** Whether a spec names pictures with texts and boxes; they are not opened. */
export const namesGroundingData = async (spec: string): Promise<boolean> =>
  setNamed(spec) !== undefined || (await filesOf(spec)) !== undefined;

type Reader = (spec: string, images: string | undefined) => Promise<FoundGroundings>;

/** Finds the reader of the files at a path; undefined where there is none. */
async function filesOf(spec: string): Promise<Reader | undefined> {
  if (await isGroundingFile(spec)) return mdetrFiles;
  return (await isEntityFolder(spec)) ? entityFiles : undefined;
}

interface NamedScenes {
  /** The kind of texts, for their identity. */
  readonly texts: string;
  find(): Promise<FoundGroundings>;
  readonly set: SceneSet;
}

function setNamed(spec: string): NamedScenes | undefined {
  const [expressions, sentences] = [sceneExpressionSets, sceneSentenceSets].map((sets) =>
    sets.find(({ name }) => name === spec),
  );
  if (expressions !== undefined)
    return { texts: 'expressions', set: expressions, find: () => sceneGroundings(expressions) };
  if (sentences !== undefined)
    return { texts: 'sentences', set: sentences, find: () => sceneSentences(sentences) };
  return undefined;
}

/**
 * Opens pictures with texts and the boxes of what they name: by the name of the dataset, by the path of a training split in
 * MDETR's format (`finetune_refcoco_train.json`), whose other splits lie beside it, or by that of a folder with Flickr30k Entities.
 * @throws {DataError} when there is nothing of the kind, or the data is not as it should be.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 */
export async function openGroundingDataset(
  spec: string,
  { images, ...options }: GroundingDataOptions & PicturesElsewhere,
): Promise<TokenizedGroundingData> {
  return groundingData(await foundGroundings(spec, images), options);
}

/**
 * The same about regions of pictures, for texts that mean one object each.
 * @throws {DataError} when there is nothing of the kind, a text means several objects, or the data is not as it should be.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 */
export async function openRegionGroundingDataset(
  spec: string,
  { images, ...options }: GroundingDataOptions & PicturesElsewhere,
  regions: RegionOptions,
): Promise<TokenizedRegionGroundingData> {
  return regionGroundingData(await foundGroundings(spec, images), options, regions);
}

async function foundGroundings(spec: string, images: string | undefined): Promise<FoundGroundings> {
  const set = setNamed(spec);
  if (set !== undefined) return withoutImages(await set.find(), images);
  const read = await filesOf(spec);
  if (read === undefined) throw await unknownGroundings(spec);
  return read(spec, images);
}

/**
 * Identifies the content of pictures with texts and boxes. Nothing is decoded.
 * @param options `pictureCache`: where hashes of files are kept for the next time.
 * @throws {DataError} when there is no such data, it is not as it should be, or a file cannot be read.
 */
export async function identifyGroundingDataset(
  spec: string,
  { images, pictureCache }: PicturesElsewhere & { readonly pictureCache?: PictureCache } = {},
): Promise<DataIdentity> {
  const set = setNamed(spec);
  if (set !== undefined) return identityOfScenes(set.set, set.texts);
  const read = await filesOf(spec);
  if (read === undefined) throw await unknownGroundings(spec);
  const found = await read(spec, images);
  const groups = (examples: readonly GroundedExample[]) =>
    examples.map(({ picture, text, objects }) => ({
      pictures: [picture],
      texts: [JSON.stringify([text, objects])],
    }));
  const { train, validation, test } = found.splits;
  return identityOfPairs(
    { train: groups(train), validation: groups(validation), test: groups(test) },
    found,
    pictureCache,
  );
}

function unknownGroundings(spec: string): Promise<DataError> {
  const names = embeddedGroundingDatasets.map(({ name }) => name);
  return unknownData(
    spec,
    `pictures with texts and boxes: ${names.join(', ')}, the path of a training split in MDETR's format (…_train.json), or of a folder with Flickr30k Entities`,
    names,
  );
}
