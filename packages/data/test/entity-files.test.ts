import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { identifyGroundingDataset, namesGroundingData, openGroundingDataset } from '../src/index';
import { entitySentence } from '../src/grounded/entity-sentences';
import { temporaryFolders } from './pictures/temporary';

const temporary = temporaryFolders();

const [WIDTH, HEIGHT] = [40, 20];
const object = (names: readonly number[], corners?: readonly number[]) =>
  `<object>${names.map((name) => `<name>${name}</name>`).join('')}${
    corners === undefined
      ? '<scene>1</scene><nobndbox>1</nobndbox>'
      : `<bndbox>${['xmin', 'ymin', 'xmax', 'ymax'].map((side, at) => `<${side}>${corners[at]}</${side}>`).join('')}</bndbox>`
  }</object>`;
const annotation = (...objects: readonly string[]) =>
  `<?xml version="1.0"?><annotation><filename>1.jpg</filename><size><width>${WIDTH}</width><height>${HEIGHT}</height><depth>3</depth></size>${objects.join('')}</annotation>`;

/** Two boys with a box each, a cup that both hold, and a street that has none. */
const plain = {
  annotation: annotation(
    object([10], [1, 1, 21, 21]),
    object([10], [21, 1, 41, 21]),
    object([11, 12], [11, 6, 31, 16]),
    object([13]),
  ),
  sentences:
    '[/EN#10/people Two boys] hold [/EN#11/other/bodyparts a cup] on [/EN#13/scene the street] .\n[/EN#13/scene A street] at [/EN#0/notvisual night] .\n',
};

async function written({ annotation, sentences }: typeof plain = plain): Promise<string> {
  const folder = await temporary('entities');
  for (const inside of ['Annotations', 'Sentences', 'flickr30k-images']) await mkdir(join(folder, inside));
  for (const [list, name] of Object.entries({ train: '1', val: '2', test: '3' })) {
    await writeFile(join(folder, `${list}.txt`), `${name}\n`);
    await writeFile(join(folder, 'Annotations', `${name}.xml`), name === '1' ? annotation : plain.annotation);
    await writeFile(
      join(folder, 'Sentences', `${name}.txt`),
      name === '1' ? sentences : plain.sentences.replaceAll('cup', `cup ${name}`),
    );
    await sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: `#0000${name}0` } })
      .jpeg()
      .toFile(join(folder, 'flickr30k-images', `${name}.jpg`));
  }
  return folder;
}

test('phrases have the boxes of their entities, and sentences without one are counted', async () => {
  const spec = await written();
  expect(await namesGroundingData(spec)).toBe(true);
  const data = await openGroundingDataset(spec, { imageSize: 8 });
  expect([data.phrases, data.train.size, data.validation.size, data.test.size]).toEqual([true, 1, 1, 1]);
  expect(data.notes).toEqual(
    ['train', 'validation', 'test'].map((split) => `1 sentence of ${split} without a box: left out`),
  );
  expect(data.texts.train).toEqual(['Two boys hold a cup on the street .']);
  const { objects } = await data.train.batch([0]);
  // From 1 in the files, from 0 here: two halves, and the middle.
  expect([...objects.boxes]).toEqual([0.25, 0.5, 0.5, 1, 0.75, 0.5, 0.5, 1, 0.5, 0.5, 0.5, 0.5]);
  expect(objects.tokens.map((tokens) => [...tokens])).toEqual([
    [1, 2],
    [1, 2],
    [4, 5],
  ]);
  expect(await identifyGroundingDataset(spec)).toHaveProperty('train');
});

test('sentences lose their marks, and spans are where the words are', () => {
  const words = fc
    .array(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 3 })
    .map((all) => all.join(' '));
  fc.assert(
    fc.property(fc.array(fc.tuple(words, fc.boolean()), { minLength: 1, maxLength: 6 }), (parts) => {
      const line = parts.map(([said, isPhrase], id) => (isPhrase ? `[/EN#${id}/other ${said}]` : said));
      const read = entitySentence(line.join(' '));
      expect(read?.text).toBe(parts.map(([said]) => said).join(' '));
      expect(read?.phrases.map(({ span }) => read.text.slice(span.start, span.end))).toEqual(
        parts.flatMap(([said, isPhrase]) => (isPhrase ? [said] : [])),
      );
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['a box without an area', { annotation: annotation(object([10], [5, 5, 5, 9])) }, 'of 1 has no area'],
  ['a box elsewhere', { annotation: annotation(object([10], [1, 1, 60, 9])) }, 'is not within 40×20'],
  [
    'a box of which the edge alone lies in the picture',
    { annotation: annotation(object([10], [41, 1, 42, 9])) },
    'has no area within 40×20',
  ],
  [
    'a coordinate that is none',
    { annotation: annotation(object([10], [1, 1, Number.NaN, 9])) },
    'expected a whole number',
  ],
  ['XML that ends too soon', { annotation: annotation(object([10], [1, 1, 9, 9])).slice(0, -20) }, '1.xml'],
  ['other XML', { annotation: '<picture/>' }, 'the root is <picture>'],
  [
    'entities of its own',
    { annotation: `<!DOCTYPE annotation [<!ENTITY b "c">]><annotation>&b;</annotation>` },
    'undefined entity',
  ],
  ['deep XML', { annotation: `<annotation>${'<a>'.repeat(1000)}` }, 'deeper than 16'],
  ['a mark that is none', { sentences: '[/EN#10/people boys hold a cup .' }, 'whose phrases are marked'],
  ['a phrase without words', { sentences: '[/EN#10/people  ] hold a cup .' }, 'whose phrases are marked'],
])('%s is refused by name', async (_, own, message) => {
  const spec = await written({ ...plain, ...own });
  await expect(openGroundingDataset(spec, { imageSize: 8 })).rejects.toThrow(message);
});

test('a box may reach over the edge by a pixel, and is cut there', async () => {
  const edges = annotation(object([10], [0, 0, 42, 11]));
  const data = await openGroundingDataset(await written({ ...plain, annotation: edges }), { imageSize: 8 });
  expect([...(await data.train.batch([0])).objects.boxes]).toEqual([0.5, 0.25, 1, 0.5]);
});

test('a picture that is listed twice would count twice, and is refused', async () => {
  const spec = await written();
  await writeFile(join(spec, 'test.txt'), '3\n3\n');
  await expect(openGroundingDataset(spec, { imageSize: 8 })).rejects.toThrow(
    /each once, in .*test\.txt.*- 3/s,
  );
});
