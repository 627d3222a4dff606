import type { DataError } from '../failure/data-error';
import { type TokenizedStatementData, statementData } from '../grounded/statement-data';
import type { ToldPictureOptions } from '../grounded/told-data';
import type { DataIdentity } from '../identity/data-identity';
import { identityOfScenes } from '../scenes/scene-files';
import { type SceneStatementSet, sceneStatementSets, sceneStatements } from '../scenes/scene-statements';
import type { EmbeddedDataset } from './open-dataset';
import { unknownData } from './unknown-data';

/** The datasets of pairs of pictures with statements that need nothing but a name. */
export const embeddedStatementDatasets: readonly EmbeddedDataset[] = sceneStatementSets.map(
  ({ name, description }) => ({ name, description }),
);

const setNamed = (spec: string): SceneStatementSet | undefined =>
  sceneStatementSets.find(({ name }) => name === spec);

/** Whether a spec names pairs of pictures with statements; they are not opened. */
export const namesStatementData = (spec: string): Promise<boolean> =>
  Promise.resolve(setNamed(spec) !== undefined);

/**
 * Opens pairs of pictures with statements, by the name of the dataset.
 * @throws {DataError} when there is nothing of the kind.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 */
export async function openStatementDataset(
  spec: string,
  options: ToldPictureOptions,
): Promise<TokenizedStatementData> {
  const set = setNamed(spec);
  if (set === undefined) throw await unknownStatements(spec);
  return statementData(await sceneStatements(set), options);
}

/**
 * Identifies the content of pairs of pictures with statements, without opening them.
 * @throws {DataError} when there is no such data.
 */
export async function identifyStatementDataset(spec: string): Promise<DataIdentity> {
  const set = setNamed(spec);
  if (set === undefined) throw await unknownStatements(spec);
  return identityOfScenes(set, set.alone === undefined ? 'statements' : `statements of ${set.alone} ones`);
}

function unknownStatements(spec: string): Promise<DataError> {
  const names = sceneStatementSets.map(({ name }) => name);
  return unknownData(spec, `pairs of pictures with statements: ${names.join(', ')}`, names);
}
