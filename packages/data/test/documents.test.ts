import type { ImageClassificationData, ImageTextData } from '@winnow/core';
import { exampleModule } from '@winnow/testkit';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WELL_FORMED, temporaryFolders, writeTree } from './pictures/temporary';

const temporary = temporaryFolders();
const here = process.cwd();
afterEach(() => {
  process.chdir(here);
});

it('the example of the README opens every kind of data', async () => {
  const folder = await temporary('readme');
  await writeTree(join(folder, 'path', 'to', 'pictures'), WELL_FORMED);
  const rows = ['train/cat/1', 'train/cat/2', 'train/dog/1'].map((name) => `pictures/${name}.png,a pet`);
  await writeFile(join(folder, 'path', 'to', 'captions.csv'), ['image,caption', ...rows].join('\n'));
  process.chdir(folder);
  const file = exampleModule(
    new URL('../README.md', import.meta.url),
    new URL('./generated/', import.meta.url),
  );
  const { emoji, photographs, captioned } = (await import(file)) as Record<
    'emoji' | 'photographs',
    ImageClassificationData
  > & { captioned: ImageTextData };
  expect(emoji.classes).toHaveLength(9);
  expect(photographs.classes).toEqual(['cat', 'dog']);
  expect(photographs.imageSize).toBe(64);
  expect([captioned.train.size, captioned.context]).toEqual([1, 4]);
});
