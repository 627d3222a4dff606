import type { DataError } from '../failure/data-error';
import {
  type GroundingDataOptions,
  type TokenizedGroundingData,
  groundingData,
} from '../grounded/grounding-data';
import type { FoundGroundings, GroundedExample } from '../grounded/grounded-example';
import { isGroundingFile, mdetrFiles } from '../grounded/mdetr-files';
import { type DataIdentity, identityOfPairs } from '../identity/data-identity';
import type { PictureCache } from '../picture/pack';
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
  setNamed(spec) !== undefined || (await isGroundingFile(spec));

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
 * Opens pictures with texts and the boxes of what they name: by the name of the dataset, or by the path of a training split in
 * MDETR's format (`finetune_refcoco_train.json`), whose other splits lie beside it.
 * @throws {DataError} when there is nothing of the kind, or the data is not as it should be.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 */
export async function openGroundingDataset(
  spec: string,
  { images, ...options }: GroundingDataOptions & PicturesElsewhere,
): Promise<TokenizedGroundingData> {
  const set = setNamed(spec);
  if (set !== undefined) return withoutImages(await groundingData(await set.find(), options), images);
  if (await isGroundingFile(spec)) return groundingData(await mdetrFiles(spec, images), options);
  throw await unknownGroundings(spec);
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
  if (!(await isGroundingFile(spec))) throw await unknownGroundings(spec);
  const found = await mdetrFiles(spec, images);
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
    `pictures with texts and boxes: ${names.join(', ')}, or the path of a training split in MDETR's format (…_train.json)`,
    names,
  );
}
