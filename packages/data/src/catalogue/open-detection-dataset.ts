import { cocoInstances } from '../detected/coco-instances';
import { type DetectionData, type DetectionDataOptions, detectionData } from '../detected/detection-data';
import type { AnnotatedPicture } from '../detected/found-detection';
import { isInstances } from '../detected/instances-files';
import type { DataError } from '../failure/data-error';
import { type DataIdentity, identityOfPairs } from '../identity/data-identity';
import type { PictureCache } from '../picture/pack';
import { identityOfScenes } from '../scenes/scene-files';
import { sceneObjectSets, sceneObjects } from '../scenes/scene-objects';
import type { EmbeddedDataset } from './open-dataset';
import { unknownData } from './unknown-data';

/** The datasets of pictures with boxes of classes that need nothing but a name. */
export const embeddedDetectionDatasets: readonly EmbeddedDataset[] = sceneObjectSets.map(
  ({ name, description }) => ({ name, description }),
);

const setNamed = (spec: string) => sceneObjectSets.find(({ name }) => name === spec);

/** Whether a spec names pictures with boxes of classes; they are not opened. */
export const namesDetectionData = async (spec: string): Promise<boolean> =>
  setNamed(spec) !== undefined || (await isInstances(spec));

/** Where the pictures lie that a file names. */
interface PicturesElsewhere {
  /** The folder of the pictures, or one with a folder for each split. Default: as COCO has it. */
  readonly images?: string;
}

/**
 * Opens pictures with boxes of classes: by the name of the dataset, or by the path of COCO's instances.
 * @throws {DataError} when there is nothing of the kind, or the data is not as it should be.
 * @throws {RangeError} on options outside their range.
 */
export async function openDetectionDataset(
  spec: string,
  { images, ...options }: DetectionDataOptions & PicturesElsewhere,
): Promise<DetectionData> {
  const set = setNamed(spec);
  if (set !== undefined) {
    const data = await detectionData(await sceneObjects(set), options);
    return images === undefined
      ? data
      : { ...data, notes: [...data.notes, '--images is for files, and not used here'] };
  }
  if (await isInstances(spec)) return detectionData(await cocoInstances(spec, images), options);
  throw await unknownDetections(spec);
}

/**
 * Identifies the content of pictures with boxes of classes. Nothing is decoded.
 * @param options `pictureCache`: where hashes of files are kept for the next time.
 * @throws {DataError} when there is no such data, it is not as it should be, or a file cannot be read.
 */
export async function identifyDetectionDataset(
  spec: string,
  { images, pictureCache }: PicturesElsewhere & { readonly pictureCache?: PictureCache } = {},
): Promise<DataIdentity> {
  const set = setNamed(spec);
  if (set !== undefined) return identityOfScenes(set, `objects by ${set.classes}`);
  if (!(await isInstances(spec))) throw await unknownDetections(spec);
  const found = await cocoInstances(spec, images);
  const groups = (examples: readonly AnnotatedPicture[]) =>
    examples.map(({ picture, ...annotated }) => ({
      pictures: [picture],
      texts: [JSON.stringify(annotated)],
    }));
  const { train, validation, test } = found.splits;
  const classes = { pictures: [], texts: found.classes };
  return identityOfPairs(
    { train: [classes, ...groups(train)], validation: groups(validation), test: groups(test) },
    found,
    pictureCache,
  );
}

function unknownDetections(spec: string): Promise<DataError> {
  const names = sceneObjectSets.map(({ name }) => name);
  return unknownData(
    spec,
    `pictures with boxes of classes: ${names.join(', ')}, or the path of a folder with annotations/instances_train….json as COCO has it, or of that file`,
    names,
  );
}
