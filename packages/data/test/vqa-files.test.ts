import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { identifyAnswerDataset, namesAnswerData, namesQuestionData, openAnswerDataset } from '../src/index';
import { temporaryFolders } from './pictures/temporary';

const temporary = temporaryFolders();
const TRAINED = 10;

interface Files {
  readonly questions: readonly unknown[];
  readonly annotations: readonly unknown[];
  /** That of the annotations; default: that of the questions. */
  readonly subtype?: string;
}

const question = (question_id: number, image_id: number, text = `is it number ${image_id}?`) => ({
  question_id,
  image_id,
  question: text,
});
const annotation = (question_id: number, image_id: number, answer: string, answer_type = 'other') => ({
  question_id,
  image_id,
  answer_type,
  question_type: 'is it',
  multiple_choice_answer: answer,
  answers: [answer, 'no'].map((each, index) => ({
    answer: each,
    answer_confidence: 'yes',
    answer_id: index,
  })),
});

const places = Array.from({ length: TRAINED }, (_, index) => index);
const training: Files = {
  questions: places.flatMap((id) => [question(2 * id, id), question(2 * id + 1, id)]),
  annotations: places.flatMap((id) => [
    annotation(2 * id, id, id === 0 ? 'rare' : 'yes', 'yes/no'),
    annotation(2 * id + 1, id, 'two', 'number'),
  ]),
};
const testing: Files = { questions: [question(1, 3)], annotations: [annotation(1, 3, 'yes', 'yes/no')] };

/** VQA v2's files, and COCO's folders of pictures. */
async function written(train: Files = training, val: Files | 'none' = testing): Promise<string> {
  const folder = await temporary('questions');
  const picture = sharp({ create: { width: 4, height: 4, channels: 3, background: '#808080' } });
  const jpeg = await picture.jpeg().toBuffer();
  for (const [year, ids] of [
    ['train2014', places],
    ['val2014', [3]],
  ] as const) {
    await mkdir(join(folder, 'coco', year), { recursive: true });
    for (const id of ids)
      await writeFile(
        join(folder, 'coco', year, `COCO_${year}_${String(id).padStart(12, '0')}.jpg`),
        Buffer.concat([jpeg, Buffer.from([id])]),
      );
  }
  for (const [year, files] of Object.entries({ train2014: train, val2014: val })) {
    if (files === 'none') continue;
    const write = (name: string, content: object) =>
      writeFile(join(folder, name), JSON.stringify({ data_subtype: year, ...content }));
    await write(`v2_OpenEnded_mscoco_${year}_questions.json`, { questions: files.questions });
    await write(`v2_mscoco_${year}_annotations.json`, {
      annotations: files.annotations,
      ...(files.subtype === undefined ? {} : { data_subtype: files.subtype }),
    });
  }
  return join(folder, 'v2_OpenEnded_mscoco_train2014_questions.json');
}
const reading = (spec: string) => ({ imageSize: 2, images: join(dirname(spec), 'coco') });

test('questions and what ten people answered are read; a tenth of the pictures is set aside', async () => {
  const spec = await written();
  expect([await namesAnswerData(spec), await namesQuestionData(spec)]).toEqual([true, false]);
  const data = await openAnswerDataset(spec, reading(spec));
  expect([data.train.size, data.validation.size, data.test.size]).toEqual([18, 2, 1]);
  expect(data.types).toEqual(['number', 'yes/no']);
  const batch = await data.test.batch([0]);
  expect(batch.given).toEqual([['yes', 'no']]);
  expect([...batch.types]).toEqual([1]);
  expect(data.notes[0]).toMatch(/val2014_questions\.json is the test.*1 picture of the training/);
  // Given nine times in what is left: "yes" is given eight times.
  expect(data.answers.map(({ text }) => text)).toEqual(['two']);
  expect([data.name, data.notes[1]]).toEqual([
    'v2_mscoco_train2014',
    'answers that are chosen from: 1; 9 questions of the training have another one',
  ]);
});

test('a question whose answer is blank is left out, and counted; where all are, nothing can be learned', async () => {
  const blank = (from: (id: number) => boolean): Files => ({
    ...training,
    annotations: training.annotations.map((each, index) =>
      from(index) ? annotation(index, Math.floor(index / 2), index % 4 === 1 ? '' : ' \t', 'number') : each,
    ),
  });
  const spec = await written(blank((index) => index % 2 === 1));
  const data = await openAnswerDataset(spec, reading(spec));
  expect([data.train.size, data.validation.size]).toEqual([9, 1]);
  expect(data.notes).toContain('10 questions of train whose answer is blank: left out');
  expect(data.answers.map(({ text }) => text)).not.toContain('');
  const all = await written(blank(() => true));
  await expect(openAnswerDataset(all, reading(all))).rejects.toThrow(
    /expected answers with words in .*train2014_annotations\.json, but found 20 blank answers/,
  );
});

test('types of answers are shown so that a line stays one', async () => {
  const spec = await written(training, {
    ...testing,
    annotations: [annotation(1, 3, 'yes', 'other\nkind')],
  });
  expect((await openAnswerDataset(spec, reading(spec))).types).toContain("'other\\u{a}kind'");
});

test('no picture of the training is in the validation', async () => {
  const spec = await written();
  const data = await openAnswerDataset(spec, reading(spec));
  const learned = new Set(data.texts.train);
  expect(data.texts.validation.filter((text) => learned.has(text))).toEqual([]);
});

test('the identity changes with an answer', async () => {
  const turned = {
    ...training,
    annotations: training.annotations.map((each, index) => (index === 4 ? annotation(4, 2, 'blue') : each)),
  };
  const of = async (spec: string) => identifyAnswerDataset(spec, reading(spec));
  expect(await of(await written())).toEqual(await of(await written()));
  expect(await of(await written())).not.toEqual(await of(await written(turned)));
});

test.each([
  ['a question without an answer', { ...testing, annotations: [] }, /one entry for every question/],
  [
    'two entries for a question',
    { ...testing, annotations: [annotation(1, 3, 'yes'), annotation(1, 3, 'no')] },
    /one entry for every question/,
  ],
  [
    'an answer about another picture',
    { ...testing, annotations: [annotation(1, 4, 'yes')] },
    /answers about the pictures/,
  ],
  [
    'a question twice',
    { ...testing, questions: [question(1, 3), question(1, 3, 'is it not?')] },
    /questions with an id of their own.*question 1, is it not/s,
  ],
  [
    'answers of another split',
    { ...testing, subtype: 'train2014' },
    /answers about val2014, .* but found train2014/,
  ],
  ['a question without words', { ...testing, questions: [question(1, 3, ' ')] }, /questions with words/],
  ['an odd number', { ...testing, questions: [question(1, -3)] }, /image_id/],
  [
    'a picture that is not there',
    { questions: [question(1, 4)], annotations: [annotation(1, 4, 'yes')] },
    /COCO_val2014_000000000004\.jpg/,
  ],
])('%s is refused by name', async (_, test, message) => {
  const spec = await written(training, test);
  await expect(openAnswerDataset(spec, reading(spec))).rejects.toThrow(message);
});

test('what is missing beside the questions is named', async () => {
  const spec = await written(training, 'none');
  await expect(openAnswerDataset(spec, reading(spec))).rejects.toThrow(
    /no v2_OpenEnded_mscoco_val2014_questions/,
  );
});
