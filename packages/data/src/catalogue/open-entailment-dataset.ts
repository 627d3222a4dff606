import type { DataError } from '../failure/data-error';
import {
  type EntailmentExample,
  type FoundEntailment,
  type TokenizedEntailmentData,
  entailmentData,
} from '../grounded/entailment-data';
import { isSnliVeFile, snliVeFiles } from '../grounded/snli-ve-files';
import type { ToldPictureOptions } from '../grounded/told-data';
import { type DataIdentity, identityOfPairs } from '../identity/data-identity';
import type { PictureCache } from '../picture/pack';
import { type TokenizedRegionEntailmentData, regionEntailmentData } from '../regions/region-entailment-data';
import type { RegionOptions } from '../regions/shown-regions';
import { sceneEntailment, sceneEntailmentSets } from '../scenes/scene-entailment';
import { identityOfScenes } from '../scenes/scene-files';
import type { EmbeddedDataset } from './open-dataset';
import { type PicturesElsewhere, withoutImages } from './pictures-elsewhere';
import { unknownData } from './unknown-data';

/** The datasets of pictures with statements that need nothing but a name. */
export const embeddedEntailmentDatasets: readonly EmbeddedDataset[] = sceneEntailmentSets.map(
  ({ name, description }) => ({ name, description }),
);

const setNamed = (spec: string) => sceneEntailmentSets.find(({ name }) => name === spec);

/** Whether a spec names pictures with statements that are true, false or not told; they are not opened. */
export const namesEntailmentData = async (spec: string): Promise<boolean> =>
  setNamed(spec) !== undefined || (await isSnliVeFile(spec));

async function foundEntailment(spec: string, images: string | undefined): Promise<FoundEntailment> {
  const set = setNamed(spec);
  if (set !== undefined) return withoutImages(await sceneEntailment(set), images);
  if (await isSnliVeFile(spec)) return snliVeFiles(spec, images);
  throw await unknownEntailment(spec);
}

/**
 * Opens pictures with statements that are true, false or not told, by the name of the dataset, or by the path of a training split in
 * SNLI-VE's format (`snli_ve_train.jsonl`), whose other splits lie beside it.
 * @throws {DataError} when there is nothing of the kind, or the data is not as it should be.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 */
export const openEntailmentDataset = async (
  spec: string,
  { images, ...options }: ToldPictureOptions & PicturesElsewhere,
): Promise<TokenizedEntailmentData> => entailmentData(await foundEntailment(spec, images), options);

/**
 * The same about regions of the pictures.
 * @throws {DataError} when there is nothing of the kind, or the data know no boxes.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 */
export const openRegionEntailmentDataset = async (
  spec: string,
  { images, ...options }: ToldPictureOptions & PicturesElsewhere,
  regions: RegionOptions,
): Promise<TokenizedRegionEntailmentData> =>
  regionEntailmentData(await foundEntailment(spec, images), options, regions);

/**
 * Identifies the content of pictures with statements. Nothing is decoded.
 * @param options `pictureCache`: where hashes of files are kept for the next time.
 * @throws {DataError} when there is no such data, it is not as it should be, or a file cannot be read.
 */
export async function identifyEntailmentDataset(
  spec: string,
  { images, pictureCache }: PicturesElsewhere & { readonly pictureCache?: PictureCache } = {},
): Promise<DataIdentity> {
  const set = setNamed(spec);
  if (set !== undefined) return identityOfScenes(set, 'entailment');
  const found = await foundEntailment(spec, images);
  const groups = (examples: readonly EntailmentExample[]) =>
    examples.map(({ picture, text, label }) => ({
      pictures: [picture],
      texts: [JSON.stringify([text, label])],
    }));
  const { train, validation, test } = found.splits;
  return identityOfPairs(
    { train: groups(train), validation: groups(validation), test: groups(test) },
    found,
    pictureCache,
  );
}

function unknownEntailment(spec: string): Promise<DataError> {
  const names = sceneEntailmentSets.map(({ name }) => name);
  return unknownData(
    spec,
    `pictures with statements that are true, false or not told: ${names.join(', ')}, or the path of a training split in SNLI-VE's format (snli_ve_train.jsonl)`,
    names,
  );
}
