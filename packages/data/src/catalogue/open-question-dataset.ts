import type { DataError } from '../failure/data-error';
import { type TokenizedAnswerData, answerData } from '../grounded/answer-data';
import { type TokenizedQuestionData, questionData } from '../grounded/question-data';
import type { ToldPictureOptions } from '../grounded/told-data';
import { type TokenizedRegionQuestionData, regionQuestionData } from '../regions/region-question-data';
import type { RegionOptions } from '../regions/shown-regions';
import type { DataIdentity } from '../identity/data-identity';
import { sceneAnswers } from '../scenes/scene-answers';
import { identityOfScenes } from '../scenes/scene-files';
import { sceneQuestionSets, sceneQuestions } from '../scenes/scene-questions';
import type { EmbeddedDataset } from './open-dataset';
import { unknownData } from './unknown-data';

/** The datasets of pictures with questions that need nothing but a name. */
export const embeddedQuestionDatasets: readonly EmbeddedDataset[] = sceneQuestionSets.map(
  ({ name, description }) => ({ name, description }),
);

const setNamed = (spec: string) => sceneQuestionSets.find(({ name }) => name === spec);

/** Whether a spec names pictures with questions; they are not opened. */
export const namesQuestionData = (spec: string): Promise<boolean> =>
  Promise.resolve(setNamed(spec) !== undefined);

/**
 * Opens pictures with questions, by the name of the dataset.
 * @throws {DataError} when there is nothing of the kind.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 */
export async function openQuestionDataset(
  spec: string,
  options: ToldPictureOptions,
): Promise<TokenizedQuestionData> {
  const set = setNamed(spec);
  if (set === undefined) throw await unknownQuestions(spec);
  return questionData(await sceneQuestions(set), options);
}

/**
 * Opens regions of pictures with questions, by the name of the dataset.
 * @throws {DataError} when there is nothing of the kind.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 */
export async function openRegionQuestionDataset(
  spec: string,
  options: ToldPictureOptions,
  regions: RegionOptions,
): Promise<TokenizedRegionQuestionData> {
  const set = setNamed(spec);
  if (set === undefined) throw await unknownQuestions(spec);
  return regionQuestionData(await sceneQuestions(set), options, regions);
}

/**
 * Opens pictures with questions and answers in words, by the name of the dataset.
 * @throws {DataError} when there is nothing of the kind.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 */
export async function openAnswerDataset(
  spec: string,
  options: ToldPictureOptions,
): Promise<TokenizedAnswerData> {
  const set = setNamed(spec);
  if (set === undefined) throw await unknownQuestions(spec);
  return answerData(await sceneAnswers(set), options);
}

/**
 * Identifies the content of pictures with questions, without opening them.
 * @throws {DataError} when there is no such data.
 */
export async function identifyQuestionDataset(spec: string): Promise<DataIdentity> {
  const set = setNamed(spec);
  if (set === undefined) throw await unknownQuestions(spec);
  return identityOfScenes(set, 'questions');
}

function unknownQuestions(spec: string): Promise<DataError> {
  const names = sceneQuestionSets.map(({ name }) => name);
  return unknownData(spec, `pictures with questions: ${names.join(', ')}`, names);
}
