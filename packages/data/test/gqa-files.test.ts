import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { identifyQuestionDataset, namesQuestionData, openQuestionDataset } from '../src/index';
import { readEntries } from '../src/file/read-entries';
import { temporaryFolders } from './pictures/temporary';

const temporary = temporaryFolders();

const asked = (question: string, answer: string, semantic: string, imageId = '11') => ({
  ...{ question, answer, imageId, isBalanced: true, fullAnswer: `It is ${answer}.` },
  types: { detailed: 'x', semantic, structural: 'query' },
});
const train = {
  '01': asked('Is the sky dark?', 'yes', 'global'),
  '02': asked('What is red?', 'apple', 'obj'),
  '03': asked('What is round?', 'ball', 'obj'),
  '04': asked('What is small?', 'ball', 'obj', '12'),
};
const held = {
  '05': asked('What is red?', 'ball', 'obj'),
  '06': asked('What is green?', 'frog', 'obj'),
};

async function written(contents: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const folder = await temporary('gqa');
  await mkdir(join(folder, 'images'));
  for (const name of ['11', '12'])
    await sharp({ create: { width: 8, height: 8, channels: 3, background: `#0000${name}` } })
      .jpeg()
      .toFile(join(folder, 'images', `${name}.jpg`));
  for (const [split, content] of Object.entries({ train, val: held, testdev: held, ...contents })) {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    if (content !== undefined) await writeFile(join(folder, `${split}_balanced_questions.json`), text);
  }
  return join(folder, 'train_balanced_questions.json');
}

test('questions have types and answers of the training; others are told, and nobody can give them', async () => {
  const spec = await written();
  expect(await namesQuestionData(spec)).toBe(true);
  const data = await openQuestionDataset(spec, { imageSize: 8 });
  expect([data.name, data.train.size, data.validation.size, data.test.size]).toEqual([
    'train_balanced',
    4,
    2,
    2,
  ]);
  expect(data.kinds).toEqual([
    { name: 'obj', answers: ['ball', 'apple'] },
    { name: 'global', answers: ['yes'] },
  ]);
  expect(data.notes).toEqual([
    'testdev_balanced_questions.json is the test',
    ...['validation', 'test'].map(
      (split) => `1 question of ${split} with an answer that the training has not: always wrong`,
    ),
  ]);
  const batch = await data.train.batch([0, 1, 2, 3]);
  expect([[...batch.types], [...batch.answers]]).toEqual([
    [1, 0, 0, 0],
    [0, 1, 0, 0],
  ]);
  expect([...(await data.test.batch([0, 1])).answers]).toEqual([0, -1]);
  expect(await identifyQuestionDataset(spec)).toHaveProperty('train');
});

test.each([
  ['a question without words', { train: { ...train, '07': asked(' ', 'yes', 'global') } }, 'question 07'],
  [
    'an unknown type',
    { train: { ...train, '07': asked('Why?', 'yes', 'moral') } },
    'question 07, as GQA has them',
  ],
  ['a picture elsewhere', { train: { '07': asked('Why?', 'no', 'obj', '../11') } }, 'the name of a picture'],
  ['a picture that is not there', { train: { '07': asked('Why?', 'no', 'obj', '13') } }, '13.jpg'],
  ['a type that was not trained', { val: { '07': asked('Why?', 'no', 'attr') } }, 'question 07, attr'],
  ['an id twice', { val: `{"1": ${JSON.stringify(held['05'])}, "1": {}}` }, "'1' twice"],
  ['a list', { val: JSON.stringify([held['05']]) }, 'a list'],
  ['JSON that ends too soon', { val: JSON.stringify(held).slice(0, -1) }, 'it ends too soon'],
  ['no JSON', { val: '<html>' }, 'val_balanced_questions.json'],
  ['a split that is missing', { testdev: undefined }, 'no testdev_balanced_questions.json'],
])('%s is refused by name', async (_, contents, message) => {
  await expect(openQuestionDataset(await written(contents), { imageSize: 8 })).rejects.toThrow(message);
});

test('entries are read as JSON has them, whatever is in them', async () => {
  const path = join(await temporary('entries'), 'entries.json');
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), fc.boolean(), async (entries, isWide) => {
      await writeFile(path, JSON.stringify(entries, undefined, isWide ? 2 : 0));
      const read = new Map<string, unknown>();
      await readEntries(path, 'entries', (name, entry) => read.set(name, entry));
      const wanted = JSON.parse(JSON.stringify(entries)) as Record<string, unknown>;
      expect([...read]).toEqual(Object.entries(wanted));
    }),
    { numRuns: 40 },
  );
});
