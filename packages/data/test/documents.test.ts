import type { ImageClassificationData } from '@winnow/core';
import { exampleModule } from '@winnow/testkit';
import { join } from 'node:path';
import { WELL_FORMED, temporaryFolders, writeTree } from './pictures/temporary';

const temporary = temporaryFolders();
const here = process.cwd();
afterEach(() => {
  process.chdir(here);
});

it('the example of the README opens both kinds of data', async () => {
  const folder = await temporary('readme');
  await writeTree(join(folder, 'path', 'to', 'pictures'), WELL_FORMED);
  process.chdir(folder);
  const file = exampleModule(
    new URL('../README.md', import.meta.url),
    new URL('./generated/', import.meta.url),
  );
  const { emoji, photographs } = (await import(file)) as Record<string, ImageClassificationData>;
  expect(emoji?.classes).toHaveLength(9);
  expect(photographs?.classes).toEqual(['cat', 'dog']);
  expect(photographs?.imageSize).toBe(64);
});
