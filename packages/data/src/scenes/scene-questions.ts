import { randomStream } from '@winnow/core';
import type { AskedExample, FoundQuestions } from '../grounded/question-data';
import { priorAccuracy, textOnlyAccuracy } from './balance';
import { deranged } from './controls';
import { type ScenePool, questionsIn } from './pool';
import { answersOf, questionTypes } from './questions';
import { type SceneSet, scenePath, scenePictures } from './scene-files';

/**
 * Generated scenes with questions of five types, up to two of a type about a scene, their answers balanced over each split. Notes say
 * how far one gets without the picture.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 */
export async function sceneQuestions(set: SceneSet): Promise<FoundQuestions> {
  const { pools, notes, contents, files, objectsIn, source } = await scenePictures(set);
  const asked = {
    train: questionsIn(pools.train),
    validation: questionsIn(pools.validation),
    test: questionsIn(pools.test),
  };
  const examplesOf = (pool: ScenePool, own: typeof asked.train): AskedExample[] => {
    const said =
      set.control === 'shuffled texts'
        ? deranged(own, randomStream(source.seed, 'control', pool.split))
        : own;
    return own.map(({ scene }, index) => {
      const { text, type, answer } = said[index] ?? { text: '', type: questionTypes[0], answer: '' };
      return {
        picture: scenePath(pool, scene),
        text,
        type: questionTypes.indexOf(type),
        answer: answersOf[type].indexOf(answer),
      };
    });
  };
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return {
    name: set.name,
    notes: [
      ...notes,
      `without the picture, the words of a question are enough for ${percent(textOnlyAccuracy(asked.train, asked.test))} of the test, its type alone for ${percent(priorAccuracy(asked.train, asked.test))}`,
    ],
    splits: {
      train: examplesOf(pools.train, asked.train),
      validation: examplesOf(pools.validation, asked.validation),
      test: examplesOf(pools.test, asked.test),
    },
    kinds: questionTypes.map((name) => ({ name, answers: answersOf[name] })),
    contents,
    files,
    objectsIn,
  };
}

const few = { train: 1000, validation: 200, test: 200 };

/** The data sets of scenes with questions. */
export const sceneQuestionSets = [
  {
    name: 'scenes-questions',
    description:
      'generated scenes of emoji with questions of five types; tested on drawings by a vendor not trained on',
    test: 'new drawings',
  },
  {
    name: 'scenes-questions-small',
    description:
      'about the first 1,000 of these scenes for training, 200 for validation and 200 for the test',
    test: 'new drawings',
    sizes: few,
  },
  {
    name: 'scenes-questions-tiny',
    description:
      'about the first 60 of these scenes for training, 20 for validation and 20 for the test: to try a command',
    test: 'new drawings',
    sizes: { train: 60, validation: 20, test: 20 },
  },
  {
    name: 'scenes-questions-pairs',
    description: 'about the same scenes; tested on things in colours that they never had in training',
    test: 'new pairs',
  },
  {
    name: 'scenes-questions-shuffled',
    description: 'negative control: scenes-questions-small with the questions and answers of others',
    test: 'new drawings',
    sizes: few,
    control: 'shuffled texts',
  },
  {
    name: 'scenes-questions-blank',
    description: 'negative control: scenes-questions-small with grey pictures',
    test: 'new drawings',
    sizes: few,
    control: 'blank pictures',
  },
] as const satisfies readonly (SceneSet & { readonly description: string })[];
