import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { identifyGroundingDataset, namesGroundingData, openGroundingDataset } from '../src/index';
import { temporaryFolders } from './pictures/temporary';

const temporary = temporaryFolders();

const [WIDTH, HEIGHT] = [40, 20];
const image = (id: number, caption: string) => ({
  id,
  file_name: `${id}.png`,
  height: HEIGHT,
  width: WIDTH,
  caption,
});
const box = (image_id: number, bbox: readonly number[], tokens_positive: readonly (readonly number[])[]) => ({
  image_id,
  bbox,
  tokens_positive,
});
const plain = {
  images: [image(1, 'the red cat'), image(2, 'a dog left of it'), image(3, 'nothing')],
  annotations: [box(1, [10, 5, 20, 10], [[4, 11]]), box(2, [-0.5, 0, 20, 20], [[2, 5]])],
};

/** Splits of one content, and pictures that are white on the left and black on the right. */
async function written(contents: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const folder = await temporary('groundings');
  await mkdir(join(folder, 'pictures'));
  for (const id of [1, 2, 3]) {
    const pixels = Buffer.alloc(WIDTH * HEIGHT * 3);
    for (let at = 0; at < pixels.length; at++) pixels[at] = Math.floor(at / 3) % WIDTH < WIDTH / 2 ? 255 : 0;
    await sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
      .png()
      .toFile(join(folder, 'pictures', `${id}.png`));
  }
  const splits = { train: plain, val: plain, testA: plain, testB: plain, ...contents };
  for (const [split, content] of Object.entries(splits)) {
    if (content !== undefined) await writeFile(join(folder, `refs_${split}.json`), JSON.stringify(content));
  }
  return join(folder, 'refs_train.json');
}
const images = (spec: string) => join(spec, '..', 'pictures');

test('texts with boxes are read, whole pictures with them, and what is left out is said', async () => {
  const spec = await written();
  expect(await namesGroundingData(spec)).toBe(true);
  const data = await openGroundingDataset(spec, { imageSize: 8, images: images(spec) });
  expect([data.name, data.train.size, data.test.size]).toEqual(['refs', 2, 2]);
  expect(data.notes).toEqual([
    ...['train', 'validation', 'test'].map((split) => `1 text of ${split} without a box: left out`),
    'the test is testA; testB are there and not used',
  ]);
  const batch = await data.train.batch([0, 1]);
  expect([...batch.objects.boxes].map((value) => Number(value.toFixed(4)))).toEqual([
    ...[0.5, 0.5, 0.5, 0.5], // of 40×20
    ...[0.2438, 0.5, 0.4875, 1], // what reaches over the edge is cut
  ]);
  expect(batch.objects.tokens.map((tokens) => [...tokens])).toEqual([[2, 3], [2]]);
  // Squashed: the left half of each row is white, the right one black.
  const row = [0, 1, 2, 3, 4, 5, 6, 7].map((column) => (batch.images[3 * column] ?? 0) > 0);
  expect(row).toEqual([true, true, true, true, false, false, false, false]);
  expect(await identifyGroundingDataset(spec, { images: images(spec) })).toHaveProperty('train');
});

test.each([
  ['a box without an area', { ...plain, annotations: [box(1, [1, 1, 0, 5], [[0, 3]])] }, 'has no area'],
  ['a box elsewhere', { ...plain, annotations: [box(1, [30, 1, 20, 5], [[0, 3]])] }, 'is not within 40×20'],
  [
    'characters beyond the text',
    { ...plain, annotations: [box(1, [1, 1, 5, 5], [[4, 40]])] },
    'characters of the texts',
  ],
  ['an empty text', { ...plain, images: [...plain.images, image(4, ' ')] }, 'expected texts in'],
  [
    'a box of no image',
    { ...plain, annotations: [box(9, [1, 1, 5, 5], [[0, 3]])] },
    'images that are listed',
  ],
  [
    'a picture elsewhere',
    { ...plain, images: [{ ...image(1, 'a'), file_name: '../../x.png' }] },
    'lead elsewhere',
  ],
  [
    'a box on the edge of which nothing is left',
    { ...plain, annotations: [box(1, [-1, -1, 0.5, 0.5], [[0, 3]])] },
    'has no area within 40×20',
  ],
  ['an image twice', { ...plain, images: [...plain.images, image(1, 'a cat')] }, 'an id of their own'],
  [
    'a picture of two sizes',
    {
      ...plain,
      images: [...plain.images, { ...image(4, 'a cat'), file_name: '1.png', width: 80, height: 40 }],
    },
    /one size of each picture.*1\.png: 80×40 and 40×20|1\.png: 40×20 and 80×40/s,
  ],
  ['training without a text', { images: [], annotations: [] }, 'found none for train.'],
  ['training without a box', { ...plain, annotations: [] }, 'found none for train.'],
  ['something else', { images: [] }, 'annotations'],
])('%s is refused by name', async (_, train, message) => {
  const spec = await written({ train });
  await expect(openGroundingDataset(spec, { imageSize: 8, images: images(spec) })).rejects.toThrow(message);
});

test('a split that is missing is asked for', async () => {
  const spec = await written({ val: undefined });
  await expect(openGroundingDataset(spec, { imageSize: 8 })).rejects.toThrow('refs_val.json');
});
