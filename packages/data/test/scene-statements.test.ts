import { openAnswerDataset, openStatementDataset, sceneTuples, speakerOf, wordTokenizer } from '../src/index';
import { identifyStatementDataset } from '../src/catalogue/open-statement-dataset';
import { sceneStatementSets, sceneStatements } from '../src/scenes/scene-statements';

const options = { imageSize: 16, augmentation: 'none' } as const;

test('a statement is true of one pair and false of another, and a batch has both pictures of each', async () => {
  const data = await openStatementDataset('scenes-statements-tiny', options);
  expect(data.train.size).toBeGreaterThan(40);
  const batch = await data.train.batch([0, 1, 2, 3]);
  expect([...batch.labels]).toEqual([0, 1, 0, 1]);
  expect(batch.images).toHaveLength(4 * 2 * 16 * 16 * 3);
  const length = batch.tokens.length / 4;
  const row = (index: number) => [...batch.tokens.subarray(index * length, (index + 1) * length)];
  expect(row(0)).toEqual(row(1));
  expect(row(0)).not.toEqual(row(2));
  const pictures = Array.from({ length: 8 }, (_, index) =>
    batch.images.slice(index * 768, (index + 1) * 768).join(),
  );
  // Swapped, or one of the two is another.
  expect(pictures.slice(0, 2)).not.toEqual(pictures.slice(2, 4));
  expect(
    pictures.slice(0, 2).filter((picture) => pictures.slice(2, 4).includes(picture)).length,
  ).toBeGreaterThan(0);
});

test('every statement of a split has both labels, in the control of one picture too', async () => {
  for (const name of ['scenes-statements-tiny', 'scenes-statements-left']) {
    const set = sceneStatementSets.find((own) => own.name === name);
    if (set === undefined) throw new Error(`expected ${name}`);
    const { splits, notes } = await sceneStatements({
      ...set,
      sizes: { train: 30, validation: 10, test: 10 },
    });
    const labels = new Map<string, number[]>();
    for (const { text, label } of splits.train) labels.set(text, [...(labels.get(text) ?? []), label]);
    for (const own of labels.values())
      expect(own.filter((label) => label === 1)).toHaveLength(own.length / 2);
    const isAlone = name.endsWith('left');
    expect(splits.train.every(({ picture, right }) => picture === right)).toBe(isAlone);
    expect(notes.some((note) => note.startsWith('a negative control'))).toBe(isAlone);
  }
  const names = ['scenes-statements', 'scenes-statements-left', 'scenes-statements-small'];
  const identities = await Promise.all(
    names.map(async (name) => JSON.stringify(await identifyStatementDataset(name))),
  );
  expect(new Set(identities).size).toBe(3);
  await expect(identifyStatementDataset('scenes-statement')).rejects.toThrow(
    'pairs of pictures with statements',
  );
});

test('answers are words that the tokenizer knows, each of its type', async () => {
  const data = await openAnswerDataset('scenes-questions-tiny', options);
  const say = speakerOf(data.tokenizer);
  for (const { text, tokens } of data.answers) {
    expect(say([...tokens])).toBe(text.toLowerCase());
    expect(tokens.length).toBeLessThanOrEqual(data.answerContext);
  }
  const batch = await data.test.batch([0, 1, 2]);
  const length = batch.answers.length / 3;
  batch.given.forEach(([answer], row) => {
    expect(say([...batch.answers.subarray(row * length, (row + 1) * length)])).toBe(answer?.toLowerCase());
    expect(data.types[batch.types[row] ?? -1]).toBeDefined();
  });
});

test('words become a text again, and pieces of others are refused', () => {
  const words = wordTokenizer(['A red cat, left of it!']);
  expect(speakerOf(words)([...words.encode('a cat left of it', 20)])).toBe('a cat left of it');
  const file = { model: { type: 'Unigram', vocab: {} } };
  expect(() => speakerOf({ file, startToken: 0, endToken: 1, padToken: 1 })).toThrow(
    'expected a tokenizer of words',
  );
});

test('what a caption says is told by its grammar', () => {
  expect(sceneTuples('we see a large cat , and a small red car left of an apple')).toEqual([
    ...['cat', 'cat is large', 'car', 'car is small', 'car is red', 'car is left of apple', 'apple'],
  ]);
  expect(sceneTuples('A cat above a dog and also an apple')).toEqual([
    'cat',
    'cat is above dog',
    'dog',
    'apple',
  ]);
  expect(sceneTuples('nothing that is known')).toEqual([]);
});
