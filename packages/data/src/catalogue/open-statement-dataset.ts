import type { DataError } from '../failure/data-error';
import { isStatementFile, nlvr2Files } from '../grounded/nlvr2-files';
import { type StatedExample, type TokenizedStatementData, statementData } from '../grounded/statement-data';
import type { ToldPictureOptions } from '../grounded/told-data';
import { type TokenizedRegionStatementData, regionStatementData } from '../regions/region-statement-data';
import type { RegionOptions } from '../regions/shown-regions';
import { type DataIdentity, identityOfPairs } from '../identity/data-identity';
import type { PictureCache } from '../picture/pack';
import { identityOfScenes } from '../scenes/scene-files';
import { type SceneStatementSet, sceneStatementSets, sceneStatements } from '../scenes/scene-statements';
import type { EmbeddedDataset } from './open-dataset';
import { type PicturesElsewhere, withoutImages } from './pictures-elsewhere';
import { unknownData } from './unknown-data';

/** The datasets of pairs of pictures with statements that need nothing but a name. */
export const embeddedStatementDatasets: readonly EmbeddedDataset[] = sceneStatementSets.map(
  ({ name, description }) => ({ name, description }),
);

const setNamed = (spec: string): SceneStatementSet | undefined =>
  sceneStatementSets.find(({ name }) => name === spec);

/** Whether a spec names pairs of pictures with statements; they are not opened. */
export const namesStatementData = async (spec: string): Promise<boolean> =>
  setNamed(spec) !== undefined || (await isStatementFile(spec));

/**
 * Opens pairs of pictures with statements, by the name of the dataset, or by the path of a training split in NLVR2's format
 * (`train.json`), whose other splits lie beside it.
 * @throws {DataError} when there is nothing of the kind, or the data is not as it should be.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 */
export async function openStatementDataset(
  spec: string,
  { images, ...options }: ToldPictureOptions & PicturesElsewhere,
): Promise<TokenizedStatementData> {
  const set = setNamed(spec);
  if (set !== undefined)
    return withoutImages(await statementData(await sceneStatements(set), options), images);
  if (await isStatementFile(spec)) return statementData(await nlvr2Files(spec, images), options);
  throw await unknownStatements(spec);
}

/**
 * The same about regions of the pictures.
 * @throws {DataError} when there is nothing of the kind, or the data know no boxes.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 */
export async function openRegionStatementDataset(
  spec: string,
  { images, ...options }: ToldPictureOptions & PicturesElsewhere,
  regions: RegionOptions,
): Promise<TokenizedRegionStatementData> {
  const set = setNamed(spec);
  if (set !== undefined)
    return withoutImages(await regionStatementData(await sceneStatements(set), options, regions), images);
  if (await isStatementFile(spec))
    return regionStatementData(await nlvr2Files(spec, images), options, regions);
  throw await unknownStatements(spec);
}

/**
 * Identifies the content of pairs of pictures with statements. Nothing is decoded.
 * @param options `pictureCache`: where hashes of files are kept for the next time.
 * @throws {DataError} when there is no such data, it is not as it should be, or a file cannot be read.
 */
export async function identifyStatementDataset(
  spec: string,
  { images, pictureCache }: PicturesElsewhere & { readonly pictureCache?: PictureCache } = {},
): Promise<DataIdentity> {
  const set = setNamed(spec);
  if (set !== undefined)
    return identityOfScenes(set, set.alone === undefined ? 'statements' : `statements of ${set.alone} ones`);
  if (!(await isStatementFile(spec))) throw await unknownStatements(spec);
  const found = await nlvr2Files(spec, images);
  const groups = (examples: readonly StatedExample[]) =>
    examples.map(({ picture, right, text, label }) => ({
      pictures: [picture, right],
      texts: [JSON.stringify([text, label])],
    }));
  const { train, validation, test } = found.splits;
  return identityOfPairs(
    { train: groups(train), validation: groups(validation), test: groups(test) },
    found,
    pictureCache,
  );
}

function unknownStatements(spec: string): Promise<DataError> {
  const names = sceneStatementSets.map(({ name }) => name);
  return unknownData(
    spec,
    `pairs of pictures with statements: ${names.join(', ')}, or the path of a training split in NLVR2's format (train.json)`,
    names,
  );
}
