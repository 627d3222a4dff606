import type { DataError } from '../failure/data-error';
import { type DataIdentity, identityOfPairs } from '../identity/data-identity';
import type { PictureCache } from '../picture/pack';
import { identityOfScenes } from '../scenes/scene-files';
import { sceneMaskSets, sceneMasks } from '../scenes/scene-masks';
import type { FoundSegmentation, SegmentedPicture } from '../segmented/found-segmentation';
import {
  type SegmentationData,
  type SegmentationDataOptions,
  segmentationData,
} from '../segmented/segmentation-data';
import { cocoMasks, isCocoMasks } from '../segmented/coco-masks';
import { isSegmentationFolder, segmentationFolders } from '../segmented/segmentation-folders';
import type { EmbeddedDataset } from './open-dataset';
import { type PicturesElsewhere, withoutImages } from './pictures-elsewhere';
import { unknownData } from './unknown-data';

/** The datasets of pictures with masks that need nothing but a name. */
export const embeddedSegmentationDatasets: readonly EmbeddedDataset[] = sceneMaskSets.map(
  ({ name, description }) => ({ name, description }),
);

const setNamed = (spec: string) => sceneMaskSets.find(({ name }) => name === spec);

/** Whether a spec names pictures with masks; they are not opened. */
export const namesSegmentationData = async (spec: string): Promise<boolean> =>
  setNamed(spec) !== undefined || (await isSegmentationFolder(spec)) || (await isCocoMasks(spec));

/**
 * Opens pictures with masks: by the name of the dataset, by the path of folders as ADE20k or CamVid has them, or by that of COCO's
 * instances, whose outlines are painted.
 * @throws {DataError} when there is nothing of the kind, or the data is not as it should be.
 * @throws {RangeError} on options outside their range.
 */
export async function openSegmentationDataset(
  spec: string,
  { images, ...options }: SegmentationDataOptions & PicturesElsewhere,
): Promise<SegmentationData> {
  const set = setNamed(spec);
  const found = set === undefined ? await onDisk(spec, images) : withoutImages(await sceneMasks(set), images);
  return segmentationData(found, options);
}

async function onDisk(spec: string, images: string | undefined): Promise<FoundSegmentation> {
  if (await isSegmentationFolder(spec)) return withoutImages(await segmentationFolders(spec), images);
  if (await isCocoMasks(spec)) return cocoMasks(spec, images);
  throw await unknownMasks(spec);
}

/**
 * Identifies the content of pictures with masks. Nothing is decoded.
 * @param options `pictureCache`: where hashes of files are kept for the next time.
 * @throws {DataError} when there is no such data, it is not as it should be, or a file cannot be read.
 */
export async function identifySegmentationDataset(
  spec: string,
  { images, pictureCache }: PicturesElsewhere & { readonly pictureCache?: PictureCache } = {},
): Promise<DataIdentity> {
  const set = setNamed(spec);
  if (set !== undefined) return identityOfScenes(set, 'masks');
  const found = await onDisk(spec, images);
  const groups = (examples: readonly SegmentedPicture[]) =>
    examples.map(({ picture, mask }) => ({ pictures: [picture, mask], texts: [] }));
  const { train, validation, test } = found.splits;
  const classes = { pictures: [], texts: found.classes };
  return identityOfPairs(
    { train: [classes, ...groups(train)], validation: groups(validation), test: groups(test) },
    found,
    pictureCache,
  );
}

function unknownMasks(spec: string): Promise<DataError> {
  const names = sceneMaskSets.map(({ name }) => name);
  return unknownData(
    spec,
    `pictures with masks: ${names.join(', ')}, the path of folders as ADE20k (images/training, annotations/training) or CamVid (train, trainannot) has them, or of COCO's instances`,
    names,
  );
}
