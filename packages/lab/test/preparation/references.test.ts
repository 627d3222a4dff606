import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { pictureNames, writePictures } from './picture';
import { difference, ends, preparationCase, preparedBy } from './prepared';

const json = (name: string): unknown =>
  JSON.parse(readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8'));
const cases = z.array(preparationCase).parse(json('./cases.json'));
const references = z
  .record(z.string(), ends.extend({ levels: z.record(z.string(), z.string()) }))
  .parse(json('./references.json'));

const root = await mkdtemp(join(tmpdir(), 'winnow-preparation-'));
afterAll(() => rm(root, { recursive: true, force: true }));
const paths = await writePictures(root);

test('there is a reference of every case', () => {
  expect(Object.keys(references)).toEqual(cases.map(({ name }) => name));
});

// 1/255 is what is promised; the same arithmetic gives the same levels.
describe.each(cases)('pictures are those of the original processor, level for level: $name', (given) => {
  const reference = references[given.name];
  test.each(pictureNames)('%s', async (name) => {
    if (reference === undefined) throw new Error('no reference');
    const path = paths[pictureNames.indexOf(name)] ?? '';
    const images = await preparedBy(given, root, [path]);
    const levels = Buffer.from(reference.levels[name] ?? '', 'base64');
    expect(difference(images, levels, reference)).toBeLessThan(0.01);
  });
});
