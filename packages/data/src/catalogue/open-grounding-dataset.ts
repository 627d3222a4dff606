import type { DataError } from '../failure/data-error';
import {
  type GroundingDataOptions,
  type TokenizedGroundingData,
  groundingData,
} from '../grounded/grounding-data';
import type { DataIdentity } from '../identity/data-identity';
import { identityOfScenes } from '../scenes/scene-files';
import { sceneExpressionSets, sceneGroundings } from '../scenes/scene-groundings';
import type { EmbeddedDataset } from './open-dataset';
import { unknownData } from './unknown-data';

/** The datasets of pictures with texts and boxes that need nothing but a name. */
export const embeddedGroundingDatasets: readonly EmbeddedDataset[] = sceneExpressionSets.map(
  ({ name, description }) => ({ name, description }),
);

/** Whether a spec names pictures with texts and boxes; they are not opened. */
export const namesGroundingData = (spec: string): Promise<boolean> =>
  Promise.resolve(sceneExpressionSets.some(({ name }) => name === spec));

/**
 * Opens pictures with texts and the boxes of what they name, by the name of the dataset.
 * @throws {DataError} when there is nothing of the kind, or the data is not as it should be.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 */
export async function openGroundingDataset(
  spec: string,
  options: GroundingDataOptions,
): Promise<TokenizedGroundingData> {
  const set = sceneExpressionSets.find(({ name }) => name === spec);
  if (set === undefined) throw await unknownGroundings(spec);
  return groundingData(await sceneGroundings(set), options);
}

/**
 * Identifies the content of pictures with texts and boxes, without opening them.
 * @throws {DataError} when there is no such data.
 */
export async function identifyGroundingDataset(spec: string): Promise<DataIdentity> {
  const set = sceneExpressionSets.find(({ name }) => name === spec);
  if (set === undefined) throw await unknownGroundings(spec);
  return identityOfScenes(set, 'expressions');
}

function unknownGroundings(spec: string): Promise<DataError> {
  const names = sceneExpressionSets.map(({ name }) => name);
  return unknownData(spec, `pictures with texts and boxes: ${names.join(', ')}`, names);
}
