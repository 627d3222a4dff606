import type { FoundAnswers } from '../grounded/answer-data';
import { answersOf, questionTypes } from './questions';
import type { SceneSet } from './scene-files';
import { sceneQuestions } from './scene-questions';

/**
 * The questions of `sceneQuestions`, whose answers are words rather than classes.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 */
export async function sceneAnswers(set: SceneSet): Promise<FoundAnswers> {
  const { splits, kinds, ...found } = await sceneQuestions(set);
  const answered = (examples: (typeof splits)['train']) =>
    examples.map(({ answer: index, type, ...example }) => {
      const answer = kinds[type]?.answers[index] ?? '';
      return { ...example, type, answer, given: [answer] };
    });
  return {
    ...found,
    splits: {
      train: answered(splits.train),
      validation: answered(splits.validation),
      test: answered(splits.test),
    },
    answers: [...new Set(questionTypes.flatMap((type) => answersOf[type]))],
    types: questionTypes,
  };
}
