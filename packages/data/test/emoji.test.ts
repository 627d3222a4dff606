import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Dataset, ImageBatch } from '@winnow/core';
import {
  DataError,
  type EmojiRecord,
  embeddedDatasets,
  emoji,
  emojiRecords,
  openDataset,
  splitEmoji,
} from '../src/index';

async function labelsOf(dataset: Dataset<ImageBatch>): Promise<Int32Array> {
  return (await dataset.batch(Array.from({ length: dataset.size }, (_, index) => index))).labels;
}

test('an option that there is none of is refused by its name', async () => {
  const misspelt = { imageSize: 32, preparation: { mean: [0.5], std: [0.5] } };
  await expect(openDataset('emoji-category', misspelt)).rejects.toThrow(
    /expected options of a dataset \(imageSize, .*\), got preparation/,
  );
});

test('the records name every emoji and both drawings', async () => {
  const records = await emojiRecords();
  expect(records).toHaveLength(1911);
  const grinning = records.find(({ shortName }) => shortName === 'grinning');
  expect(grinning).toMatchObject({
    codePoints: '1F600',
    name: 'GRINNING FACE',
    category: 'Smileys & Emotion',
    subcategory: 'face-smiling',
  });
  expect((await readFile(grinning?.drawings.twitter ?? '')).subarray(1, 4).toString()).toBe('PNG');
  expect(new Set(records.map(({ shortName }) => shortName)).size).toBe(1911);
});

describe('the split', () => {
  const hash = async (path: string) =>
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  const hashes = (records: readonly EmojiRecord[]) =>
    Promise.all(records.map(({ drawings }) => hash(drawings.twitter)));

  test('covers all emoji once and is the same every time', async () => {
    const records = await emojiRecords();
    const split = await splitEmoji(records);
    const all = [...split.train, ...split.validation, ...split.test];
    expect(new Set(all.map(({ codePoints }) => codePoints)).size).toBe(records.length);
    expect(all).toHaveLength(records.length);
    expect(await splitEmoji(records)).toEqual(split);
  });

  test('never tests or validates on a drawing that is trained on', async () => {
    const records = await emojiRecords();
    const { train, validation, test } = await splitEmoji(records);
    const trained = new Set([
      ...(await hashes(train)),
      ...(await Promise.all(records.map(({ drawings }) => hash(drawings.google)))),
    ]);
    const validated = await hashes(validation);
    const tested = await hashes(test);
    expect([...validated, ...tested].filter((drawing) => trained.has(drawing))).toEqual([]);
    expect(tested.filter((drawing) => validated.includes(drawing))).toEqual([]);
  });
});

test.each([
  ['category', 9, 9, 9],
  ['subcategory', 98, 97, 95],
] as const)('task %s: %i classes, almost all of them tested', async (task, classes, tested, validated) => {
  const data = await emoji(task, { imageSize: 8 });
  expect(data).toMatchObject({ name: `emoji-${task}`, imageSize: 8, channels: 3 });
  expect(data.classes).toHaveLength(classes);
  expect([...data.classes].sort()).toEqual(data.classes);
  expect([data.train.size, data.validation.size, data.test.size]).toEqual([2879, 368, 565]);
  expect(new Set(await labelsOf(data.test)).size).toBe(tested);
  expect(new Set(await labelsOf(data.validation)).size).toBe(validated);
});

test('both tasks split alike', async () => {
  const [category, subcategory] = await Promise.all([
    emoji('category', { imageSize: 8 }),
    emoji('subcategory', { imageSize: 8 }),
  ]);
  expect((await category.test.batch([0, 300])).images).toEqual(
    (await subcategory.test.batch([0, 300])).images,
  );
});

describe('openDataset', () => {
  test('knows every embedded dataset by name', async () => {
    for (const { name, description } of embeddedDatasets) {
      expect((await openDataset(name, { imageSize: 8 })).name).toBe(name);
      expect(description).not.toContain('\n');
    }
  });

  test('says of which other kind a dataset is', async () => {
    await expect(openDataset('scenes-masks-tiny', { imageSize: 8 })).rejects.toThrow(
      /found scenes-masks-tiny, which is for another task: .*Choose another dataset/,
    );
  });

  test('names the known datasets when asked for another', async () => {
    const opening = openDataset('emoji-colour', { imageSize: 8 });
    await expect(opening).rejects.toBeInstanceOf(DataError);
    await expect(opening).rejects.toThrow(/emoji-category.*emoji-subcategory.*no dataset emoji-colour/);
  });
});

const descriptors = '/proc/self/fd';
const isCounted = existsSync(descriptors);
(isCounted ? test : test.skip)(
  `few drawings are open at a time${isCounted ? '' : ' (skipped: no /proc/self/fd)'}`,
  async () => {
    let most = 0;
    let isOpening = true;
    const watching = (async () => {
      while (isOpening) {
        most = Math.max(most, readdirSync(descriptors).length);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await emoji('category', { imageSize: 8 });
    isOpening = false;
    await watching;
    expect(most).toBeLessThan(200);
  },
);
