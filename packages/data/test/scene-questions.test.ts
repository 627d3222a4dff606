import {
  answersOf,
  namedDatasets,
  namesQuestionData,
  openQuestionDataset,
  questionTypes,
} from '../src/index';
import { questionData } from '../src/grounded/question-data';
import type { SceneSet } from '../src/scenes/scene-files';
import { sceneQuestionSets, sceneQuestions } from '../src/scenes/scene-questions';

const few = (control?: SceneSet['control']): SceneSet => ({
  name: 'few scenes',
  test: 'new drawings',
  sizes: { train: 60, validation: 10, test: 20 },
  ...(control === undefined ? {} : { control }),
});

test('scenes with questions are listed by name, with the answers that there are', async () => {
  expect(namedDatasets.map(({ name }) => name)).toEqual(
    expect.arrayContaining(sceneQuestionSets.map(({ name }) => name)),
  );
  expect(await namesQuestionData('scenes-questions')).toBe(true);
  expect(await namesQuestionData('scenes-expressions')).toBe(false);
  await expect(openQuestionDataset('scenes-question', { imageSize: 32 })).rejects.toThrow(
    'Did you mean scenes-questions?',
  );
});

test('a batch has pictures, questions, their types and answers, and a note says what guessing is worth', async () => {
  const data = await questionData(await sceneQuestions(few()), { imageSize: 32 });
  expect(data.kinds).toEqual(questionTypes.map((name) => ({ name, answers: answersOf[name] })));
  expect(data.notes.join()).toMatch(/without the picture, the words of a question are enough for \d/);
  const { types, answers, images, texts } = await data.train.batch([0, 1, 2, 3, 4]);
  expect([types.length, answers.length, texts]).toEqual([5, 5, 5]);
  expect(images).toHaveLength(5 * 32 * 32 * 3);
  types.forEach((type, row) => {
    const text = data.texts.train[row] ?? '';
    const isCount = /^how many/.test(text);
    expect(questionTypes[type] === 'global').toBe(isCount);
    expect(answers[row]).toBeLessThan(data.kinds[type]?.answers.length ?? 0);
    expect(answers[row]).toBeGreaterThanOrEqual(0);
  });
});

test('the control has questions of other scenes with their own answers', async () => {
  const [plain, shuffled] = [await sceneQuestions(few()), await sceneQuestions(few('shuffled texts'))];
  const said = ({ splits }: typeof plain) =>
    splits.test.map(({ text, type, answer }) => `${text} ${type} ${answer}`);
  expect(said(shuffled)).not.toEqual(said(plain));
  expect(said(shuffled).sort()).toEqual(said(plain).sort());
  expect(shuffled.splits.test.map(({ picture }) => picture)).toEqual(
    plain.splits.test.map(({ picture }) => picture),
  );
});
