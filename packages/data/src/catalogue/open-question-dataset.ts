import type { DataError } from '../failure/data-error';
import { type AnsweredExample, type TokenizedAnswerData, answerData } from '../grounded/answer-data';
import { gqaFiles, isGqaFile } from '../grounded/gqa-files';
import { type AskedExample, type TokenizedQuestionData, questionData } from '../grounded/question-data';
import type { ToldPictureOptions } from '../grounded/told-data';
import { type TokenizedRegionQuestionData, regionQuestionData } from '../regions/region-question-data';
import type { RegionOptions } from '../regions/shown-regions';
import { isAnswerFile, vqaFiles } from '../grounded/vqa-files';
import { type DataIdentity, identityOfPairs } from '../identity/data-identity';
import type { PictureCache } from '../picture/pack';
import { sceneAnswers } from '../scenes/scene-answers';
import { identityOfScenes } from '../scenes/scene-files';
import { sceneQuestionSets, sceneQuestions } from '../scenes/scene-questions';
import type { EmbeddedDataset } from './open-dataset';
import { type PicturesElsewhere, withoutImages } from './pictures-elsewhere';
import { unknownData } from './unknown-data';

/** The datasets of pictures with questions that need nothing but a name. */
export const embeddedQuestionDatasets: readonly EmbeddedDataset[] = sceneQuestionSets.map(
  ({ name, description }) => ({ name, description }),
);

const setNamed = (spec: string) => sceneQuestionSets.find(({ name }) => name === spec);

/** Whether a spec names pictures with questions; they are not opened. */
export const namesQuestionData = async (spec: string): Promise<boolean> =>
  setNamed(spec) !== undefined || (await isGqaFile(spec));

/**
 * Opens pictures with questions, by the name of the dataset, or by the path of the questions of a training split in GQA's format
 * (`train_balanced_questions.json`), whose other splits lie beside it.
 * @throws {DataError} when there is nothing of the kind, or the data is not as it should be.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 */
export async function openQuestionDataset(
  spec: string,
  { images, ...options }: ToldPictureOptions & PicturesElsewhere,
): Promise<TokenizedQuestionData> {
  const set = setNamed(spec);
  if (set !== undefined) return withoutImages(await questionData(await sceneQuestions(set), options), images);
  if (await isGqaFile(spec)) return questionData(await gqaFiles(spec, images), options);
  throw await unknownQuestions(spec);
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
  if (set === undefined) throw await unknownRegions(spec);
  return regionQuestionData(await sceneQuestions(set), options, regions);
}

/** Whether a spec names pictures with questions and answers in words; they are not opened. */
export const namesAnswerData = async (spec: string): Promise<boolean> =>
  setNamed(spec) !== undefined || (await isAnswerFile(spec));

/**
 * Opens pictures with questions and answers in words, by the name of the dataset, or by the path of the questions of a training
 * split in VQA v2's format (`v2_OpenEnded_mscoco_train2014_questions.json`), whose other files lie beside it.
 * @throws {DataError} when there is nothing of the kind, or the data is not as it should be.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 */
export async function openAnswerDataset(
  spec: string,
  { images, ...options }: ToldPictureOptions & PicturesElsewhere,
): Promise<TokenizedAnswerData> {
  const set = setNamed(spec);
  if (set !== undefined) return withoutImages(await answerData(await sceneAnswers(set), options), images);
  if (await isAnswerFile(spec)) return answerData(await vqaFiles(spec, images), options);
  throw await unknownAnswers(spec);
}

/**
 * Identifies the content of pictures with questions and answers in words. Nothing is decoded.
 * @param options `pictureCache`: where hashes of files are kept for the next time.
 * @throws {DataError} when there is no such data, it is not as it should be, or a file cannot be read.
 */
export async function identifyAnswerDataset(
  spec: string,
  { images, pictureCache }: PicturesElsewhere & { readonly pictureCache?: PictureCache } = {},
): Promise<DataIdentity> {
  const set = setNamed(spec);
  if (set !== undefined) return identityOfScenes(set, 'questions');
  if (!(await isAnswerFile(spec))) throw await unknownAnswers(spec);
  const found = await vqaFiles(spec, images);
  const groups = (examples: readonly AnsweredExample[]) =>
    examples.map(({ picture, text, answer, given, type }) => ({
      pictures: [picture],
      texts: [JSON.stringify([text, answer, given, type])],
    }));
  const { train, validation, test } = found.splits;
  return identityOfPairs(
    { train: groups(train), validation: groups(validation), test: groups(test) },
    found,
    pictureCache,
  );
}

/**
 * Identifies the content of pictures with questions. Nothing is decoded.
 * @param options `pictureCache`: where hashes of files are kept for the next time.
 * @throws {DataError} when there is no such data, it is not as it should be, or a file cannot be read.
 */
export async function identifyQuestionDataset(
  spec: string,
  { images, pictureCache }: PicturesElsewhere & { readonly pictureCache?: PictureCache } = {},
): Promise<DataIdentity> {
  const set = setNamed(spec);
  if (set !== undefined) return identityOfScenes(set, 'questions');
  if (!(await isGqaFile(spec))) throw await unknownQuestions(spec);
  const found = await gqaFiles(spec, images);
  const groups = (examples: readonly AskedExample[]) =>
    examples.map(({ picture, text, type, answer }) => ({
      pictures: [picture],
      texts: [JSON.stringify([text, found.kinds[type]?.name, found.kinds[type]?.answers[answer] ?? null])],
    }));
  const { train, validation, test } = found.splits;
  return identityOfPairs(
    { train: groups(train), validation: groups(validation), test: groups(test) },
    found,
    pictureCache,
  );
}

function unknownAnswers(spec: string): Promise<DataError> {
  const names = sceneQuestionSets.map(({ name }) => name);
  return unknownData(
    spec,
    `pictures with questions and answers: ${names.join(', ')}, or the path of the questions of a training split in VQA v2's format (…OpenEnded_…train…_questions.json)`,
    names,
  );
}

function unknownQuestions(spec: string): Promise<DataError> {
  const names = sceneQuestionSets.map(({ name }) => name);
  return unknownData(
    spec,
    `pictures with questions: ${names.join(', ')}, or the path of the questions of a training split in GQA's format (train_balanced_questions.json)`,
    names,
  );
}

/** Regions are the boxes of objects, and files with questions have none. */
function unknownRegions(spec: string): Promise<DataError> {
  const names = sceneQuestionSets.map(({ name }) => name);
  return unknownData(spec, `questions about pictures whose objects have boxes: ${names.join(', ')}`, names);
}
