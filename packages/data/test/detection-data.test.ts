import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DetectionBatch } from '@winnow/core';
import { identifyDetectionDataset, namesDetectionData, openDetectionDataset } from '../src/index';
import { picture, temporaryFolders } from './pictures/temporary';

const shared = process.env['WINNOW_SHARED'] ?? fileURLToPath(new URL('../../../../shared', import.meta.url));
const temporary = temporaryFolders();
const [WIDTH, HEIGHT] = [40, 20];

const image = (id: number | string) => ({ id, file_name: `${id}.png`, width: WIDTH, height: HEIGHT });
const box = (image_id: number | string, category_id: number, bbox: readonly number[], more: object = {}) => ({
  ...{ image_id, category_id, bbox },
  ...more,
});
const categories = [
  { id: 7, name: 'red_cell' },
  { id: 2, name: 'Platelets' },
];
const plain = {
  images: [image(1), image(2), image(3)],
  annotations: [
    box(1, 2, [10, 5, 20, 10]),
    box('1', 7, [-0.5, 0, 20, 20], { area: 12.5 }),
    box(2, 7, [0, 0, 40, 20], { iscrowd: 1 }),
    box(2, 7, [4, 4, 0, 3]),
  ],
  categories,
};

/** A folder as COCO's. */
async function written(contents: Readonly<Record<string, unknown>>): Promise<string> {
  const root = await temporary('cells');
  await mkdir(join(root, 'annotations'));
  for (const [split, content] of Object.entries(contents)) {
    await writeFile(join(root, 'annotations', `instances_${split}.json`), JSON.stringify(content));
    await mkdir(join(root, split));
    for (const id of [1, 2, 3]) await picture(WIDTH, HEIGHT, id).toFile(join(root, split, `${id}.png`));
  }
  return root;
}
const whole = { train: plain, val: plain, test: plain };

test('COCO’s instances are read, and what is left out or odd is said', async () => {
  const root = await written(whole);
  const file = join(root, 'annotations', 'instances_train.json');
  expect(await Promise.all([root, file, join(root, 'train')].map(namesDetectionData))).toEqual([
    true,
    true,
    false,
  ]);
  const data = await openDetectionDataset(root, { imageSize: 8 });
  expect([data.name, data.train.size, data.validation.size, data.test.size]).toEqual(['cells', 3, 3, 3]);
  expect(data.classes).toEqual(['red_cell', 'Platelets']);
  expect(data.notes).toEqual(
    ['train', 'validation', 'test'].flatMap((split) => [
      `1 box of ${split} without an area: left out`,
      `1 picture of ${split} without an object: kept, as nothing is to be found there`,
      `1 box of ${split} around crowds: not learned from, and not missed in scores`,
    ]),
  );
  const batch = await data.test.batch([0, 1, 2]);
  expect(batch.images).toHaveLength(3 * 8 * 8 * 3);
  expect([...batch.objects.examples]).toEqual([0, 0]); // crowds are not learned
  const rounded = [...batch.objects.boxes].map((value) => Number(value.toFixed(4)));
  expect(rounded).toEqual([0.5, 0.5, 0.5, 0.5, 0.2438, 0.5, 0.4875, 1]); // what reaches over the edge is cut
  const { truths } = batch;
  expect(truths.sizes).toEqual([1, 2, 3].map(() => ({ height: HEIGHT, width: WIDTH })));
  expect([...truths.classes]).toEqual([1, 0, 0]);
  expect([...truths.crowds]).toEqual([0, 0, 1]);
  expect([...truths.areas]).toEqual([200, 12.5, 800]);
  expect([...truths.boxes]).toEqual([10, 5, 30, 15, 0, 0, 19.5, 20, 0, 0, 40, 20]);
  const again = await openDetectionDataset(file, { imageSize: 8 });
  expect((await again.test.batch([0])).truths.boxes).toEqual(truths.boxes.subarray(0, 8));
  const identity = await identifyDetectionDataset(root);
  expect(await identifyDetectionDataset(file)).toEqual(identity);
});

test('training mirrors pictures with their boxes and draws what is asked for, by seed, epoch and example', async () => {
  const data = await openDetectionDataset(await written(whole), { imageSize: { height: 8, width: 16 } });
  const whenAsked = (epoch: number) => data.train.batch([0], { seed: 1, epoch });
  const still = await data.train.batch([0]);
  const batches = await Promise.all(Array.from({ length: 8 }, (_, epoch) => whenAsked(epoch)));
  const first = (batch: DetectionBatch) => batch.images.slice(0, 3);
  const last = still.images.slice(15 * 3, 16 * 3);
  const isMirrored = (batch: DetectionBatch) => first(batch).join() === last.join();
  expect(new Set(batches.map(isMirrored))).toEqual(new Set([true, false]));
  for (const batch of batches) {
    const place = [...batch.objects.tokens.keys()].find(
      (object) => batch.objects.boxes[object * 4 + 3] === still.objects.boxes[7],
    );
    const x = batch.objects.boxes[(place ?? 0) * 4] ?? Number.NaN;
    const before = still.objects.boxes[4] ?? Number.NaN;
    expect(x).toBeCloseTo(isMirrored(batch) ? 1 - before : before, 5);
    expect(batch.truths).toEqual(still.truths);
  }
  expect(await whenAsked(3)).toEqual(batches[3]);
  const kept = await openDetectionDataset(await written(whole), { imageSize: 8, varied: false });
  const some = await kept.train.batch([0], { seed: 1, epoch: 0 });
  expect(some.images).toEqual((await kept.train.batch([0])).images);
});

test('without a test the validation is it, and a tenth of the training is set aside', async () => {
  const train2017 = { ...plain, annotations: [...plain.annotations, box(3, 7, [0, 0, 5, 5])] };
  const root = await written({ train2017, val2017: plain });
  const data = await openDetectionDataset(root, { imageSize: 8 });
  expect([data.train.size, data.validation.size, data.test.size]).toEqual([2, 1, 3]);
  expect(data.notes[0]).toBe(
    'instances_val2017.json is the test; set aside for validation: 1 picture of the training',
  );
});

test('boxes of which nothing lies in the picture, or that rounding leaves without an area, are left out', async () => {
  const slivers = [
    [-1, -1, 0.5, 0.5],
    [40.2, 3, 0.5, 0.5],
    [30, 10, 1e-300, 1e-300],
  ];
  const train = { ...plain, annotations: [...plain.annotations, ...slivers.map((bbox) => box(1, 7, bbox))] };
  const data = await openDetectionDataset(await written({ ...whole, train }), { imageSize: 8 });
  expect(data.notes[0]).toBe('4 boxes of train without an area: left out');
  expect((await data.train.batch([0])).truths.classes).toHaveLength(2);
});

describe('what cannot be is refused', () => {
  const odd = (annotation: object) => ({
    train: { ...plain, annotations: [...plain.annotations, annotation] },
  });
  it.each<[string, Record<string, unknown>, RegExp]>([
    [
      'a box elsewhere',
      odd(box(1, 7, [30, 0, 20, 5])),
      /boxes within their pictures.*\[30, 0, 20, 5\] of 1\.png, which is 40×20/s,
    ],
    [
      'an unknown category',
      odd(box(1, 9, [0, 0, 5, 5])),
      /categories that are listed.*category 9: \[0, 0, 5, 5\] of 1\.png/s,
    ],
    ['an unknown image', odd(box(5, 7, [0, 0, 5, 5])), /images that are listed.*of image 5/s],
    ['a crowd of 2', odd(box(1, 7, [0, 0, 5, 5], { iscrowd: 2 })), /expected 0, or 1 for a crowd/],
    [
      'no picture for training',
      { train: { ...plain, images: [], annotations: [] } },
      /found none for train\./,
    ],
    [
      'no picture for the test and the validation',
      Object.fromEntries(['test', 'val'].map((split) => [split, { ...plain, images: [], annotations: [] }])),
      /found none for validation and test/,
    ],
    [
      'nothing to learn',
      { train: { ...plain, annotations: plain.annotations.slice(2) } },
      /boxes to learn from in .*train\.json, but found none .* in 3 pictures/,
    ],
    [
      'the folder as a picture',
      { train: { ...plain, images: [...plain.images, { ...image(4), file_name: '.' }] } },
      /names of pictures below the folder/,
    ],
    ['a box of three numbers', odd(box(1, 7, [0, 0, 5])), /COCO instances in .*annotations\[4\]\.bbox/s],
    [
      'one category twice',
      { train: { ...plain, categories: [...categories, { id: 7, name: 'x' }] } },
      /categories with an id of their own/,
    ],
    [
      'one name twice',
      { train: { ...plain, categories: [...categories, { id: 8, name: 'red_cell' }] } },
      /categories with a name of their own/,
    ],
    [
      'an image twice',
      { train: { ...plain, images: [...plain.images, image('1')] } },
      /images with an id of their own/,
    ],
    [
      'a picture of two images',
      { train: { ...plain, images: [...plain.images, { ...image(4), file_name: './3.png' }] } },
      /picture of their own.*3\.png, of 3 and 4/s,
    ],
    [
      'an annotation twice',
      {
        train: {
          ...plain,
          annotations: [box(1, 2, [1, 1, 9, 9], { id: 5 }), box(1, 2, [1, 1, 9, 9], { id: '5' })],
        },
      },
      /annotations with an id of their own/,
    ],
    [
      'a picture that is not there',
      { train: { ...plain, images: [...plain.images, image(4)] } },
      /the pictures that .* names.*4\.png/s,
    ],
    [
      'a way out',
      { train: { ...plain, images: [...plain.images, { ...image(4), file_name: '../../x.png' }] } },
      /names of pictures below the folder/,
    ],
    [
      'other categories',
      { test: { ...plain, categories: [...categories].reverse() } },
      /in all splits, in one order/,
    ],
  ])('%s', async (_, contents, message) => {
    const root = await written({ ...whole, ...contents });
    await expect(openDetectionDataset(root, { imageSize: 8 })).rejects.toThrow(message);
  });

  test('training without a test, and data of another kind', async () => {
    const alone = await written({ train: plain });
    await expect(openDetectionDataset(alone, { imageSize: 8 })).rejects.toThrow(/no test is set aside/);
    await expect(openDetectionDataset('scenes-detectoin', { imageSize: 8 })).rejects.toThrow(
      /scenes-detection/,
    );
  });
});

test('scenes have boxes of 60 things or of 8 groups, asked for in chunks', async () => {
  const data = await openDetectionDataset('scenes-detection-tiny', { imageSize: 16, context: 40 });
  expect([data.train.size, data.classes.length, data.context]).toEqual([60, 60, 40]);
  expect(data.prompts.length).toBeGreaterThan(2);
  const { objects, truths, tokens, texts } = await data.train.batch([0, 1, 2]);
  expect(truths.sizes).toEqual([1, 2, 3].map(() => ({ height: 96, width: 96 })));
  // All that is there is asked for.
  expect(objects.examples).toEqual(truths.examples);
  const length = tokens.length / texts;
  objects.tokens.forEach((places, object) => {
    const name = data.classes[truths.classes[object] ?? -1] ?? '';
    const row = tokens.subarray((truths.examples[object] ?? 0) * length);
    expect([...places].map((place) => row[place])).toEqual([
      ...data.tokenizer.encode(name, 10).subarray(1, -1),
    ]);
  });
  for (const value of objects.boxes) expect(value > 0 && value < 1).toBe(true);
  const [things, groups] = await Promise.all(
    ['scenes-detection-tiny', 'scenes-detection-groups-tiny'].map((name) => identifyDetectionDataset(name)),
  );
  expect(things).not.toEqual(groups);
  const grouped = await openDetectionDataset('scenes-detection-groups-tiny', { imageSize: 16, context: 40 });
  expect([grouped.train.size, grouped.validation.size, grouped.test.size]).toEqual([60, 20, 20]);
  expect(grouped.classes).toHaveLength(8);
  expect((await grouped.train.batch([0, 1, 2])).truths.sizes).toEqual(truths.sizes);
});

const cells = join(shared, 'data', 'bccd');
(existsSync(cells) ? test : test.skip)('blood cells', async () => {
  const data = await openDetectionDataset(cells, { imageSize: 16 });
  expect([data.train.size, data.validation.size, data.test.size]).toEqual([205, 87, 72]);
  expect(data.classes).toHaveLength(3);
  expect(data.prompts).toHaveLength(1);
});

test.each([
  ['another one', () => picture(30, HEIGHT, 1), /expected a picture of 40×20 pixels[\s\S]*found 30×20\. Put/],
  ['one that is turned', () => picture(HEIGHT, WIDTH, 1), /found 20×40, as it stands upright\. Save/],
  [
    'one that its EXIF turns',
    () => picture(WIDTH, HEIGHT, 1).withMetadata({ orientation: 6 }),
    /found 20×40, as it stands upright\. Save/,
  ],
])('pictures of other proportions than were annotated are refused: %s', async (_, made, message) => {
  const root = await written(whole);
  await made().toFile(join(root, 'train', '1.png'));
  for (const workers of [0, 1]) {
    const data = await openDetectionDataset(root, { imageSize: 8, workers });
    await expect(data.train.batch([0])).rejects.toThrow(message);
  }
});

test('a picture that was scaled as a whole has the places that were annotated', async () => {
  const root = await written(whole);
  await picture(WIDTH / 2, HEIGHT / 2, 1).toFile(join(root, 'train', '1.png'));
  const data = await openDetectionDataset(root, { imageSize: 8 });
  expect([...(await data.train.batch([0])).objects.boxes].slice(0, 2)).toEqual([0.5, 0.5]);
});
