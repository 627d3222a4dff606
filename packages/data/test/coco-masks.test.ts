import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { identifySegmentationDataset, openSegmentationDataset } from '../src/index';
import { type Shape, hasPixels, painted } from '../src/segmented/coco-shapes';
import { picture, temporaryFolders } from './pictures/temporary';

const temporary = temporaryFolders();
const [WIDTH, HEIGHT] = [6, 4];

/** 1 where a shape is, row by row. */
function maskOf(shape: Shape, width = WIDTH, height = HEIGHT): number[] {
  const mask = new Array<number>(width * height).fill(0);
  const wrong = painted(shape, { width, height }, (row, from, to) => {
    mask.fill(1, row * width + from, row * width + to);
  });
  expect(wrong).toBeUndefined();
  return mask;
}

/** COCO's coding of runs, as `rleToString` of its maskApi writes it. */
function coded(runs: readonly number[]): string {
  return runs
    .map((run, index) => {
      let value = index > 2 ? run - (runs[index - 2] ?? 0) : run;
      let text = '';
      for (let goesOn = true; goesOn;) {
        const bits = value & 31;
        value >>= 5;
        goesOn = (bits & 16) === 0 ? value !== 0 : value !== -1;
        text += String.fromCharCode(48 + bits + (goesOn ? 32 : 0));
      }
      return text;
    })
    .join('');
}

test('runs, as a list or as a text, give the pixels that they were made of', () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }));
  const masks = sizes.chain(([width, height]) =>
    fc.record({
      width: fc.constant(width),
      height: fc.constant(height),
      mask: fc.array(fc.constantFrom(0, 0, 0, 1), { minLength: width * height, maxLength: width * height }),
    }),
  );
  fc.assert(
    fc.property(masks, ({ width, height, mask }) => {
      const runs: number[] = [0];
      let last = 0;
      for (let place = 0; place < mask.length; place++) {
        const own = mask[(place % height) * width + Math.floor(place / height)] ?? 0;
        if (own !== last) runs.push(0);
        last = own;
        runs.push((runs.pop() ?? 0) + 1);
      }
      for (const counts of [runs, coded(runs)])
        expect(maskOf({ size: [height, width], counts }, width, height)).toEqual(mask);
    }),
    { numRuns: 40 },
  );
});

test('a rectangle has the pixels whose middles lie in it, whichever way its corners go, and is cut at the edge', () => {
  const corner = fc.integer({ min: -2, max: 8 });
  fc.assert(
    fc.property(corner, corner, corner, corner, (x1, y1, x2, y2) => {
      const [left, right] = [Math.min(x1, x2) + 0.25, Math.max(x1, x2) + 0.25];
      const [top, bottom] = [Math.min(y1, y2) + 0.25, Math.max(y1, y2) + 0.25];
      const expected = Array.from({ length: WIDTH * HEIGHT }, (_, place) => {
        const [x, y] = [(place % WIDTH) + 0.5, Math.floor(place / WIDTH) + 0.5];
        return x > left && x < right && y > top && y < bottom ? 1 : 0;
      });
      expect(maskOf([[left, top, right, top, right, bottom, left, bottom]])).toEqual(expected);
      expect(maskOf([[left, bottom, right, bottom, right, top, left, top]])).toEqual(expected);
    }),
  );
});

test('several polygons are one object; runs of another size, or of another length, are none', () => {
  const two = maskOf([
    [0, 0, 2, 0, 2, 4, 0, 4],
    [4, 0, 6, 0, 6, 4, 4, 4],
  ]);
  expect(two.slice(0, WIDTH)).toEqual([1, 1, 0, 0, 1, 1]);
  const nothing = () => undefined;
  const size = { width: WIDTH, height: HEIGHT };
  expect(painted({ size: [6, 4], counts: [24] }, size, nothing)).toBe('runs of 4×6 pixels');
  expect(painted({ size: [4, 6], counts: [20] }, size, nothing)).toBe('runs of 20 pixels in all, of 24');
});

const images = [1, 2, 3].map((id) => ({ id, file_name: `${id}.png`, width: WIDTH, height: HEIGHT }));
const square = [[0, 0, 3, 0, 3, 3, 0, 3]];
const plain = {
  images,
  categories: [
    { id: 7, name: 'cat' },
    { id: 2, name: 'mat' },
  ],
  annotations: [
    { image_id: 1, category_id: 7, segmentation: square, area: 9 },
    { image_id: 1, category_id: 2, segmentation: [[0, 0, 6, 0, 6, 2, 0, 2]], area: 12 },
    { image_id: 1, category_id: 7, segmentation: { size: [4, 6], counts: [16, 8] }, iscrowd: 1, area: 99 },
  ],
};

/** A folder as COCO's. */
async function written(contents: Readonly<Record<string, unknown>>): Promise<string> {
  const root = await temporary('outlines');
  await mkdir(join(root, 'annotations'));
  for (const [split, content] of Object.entries(contents)) {
    await writeFile(join(root, 'annotations', `instances_${split}.json`), JSON.stringify(content));
    await mkdir(join(root, split));
    for (const id of [1, 2, 3]) await picture(WIDTH, HEIGHT, id).toFile(join(root, split, `${id}.png`));
  }
  return root;
}

test('COCO’s outlines are masks: the smaller on top, crowds do not count, the rest is background', async () => {
  const root = await written({ train: plain, val: plain, test: plain });
  const data = await openSegmentationDataset(root, { imageSize: { height: HEIGHT, width: WIDTH } });
  expect(data.classes).toEqual(['background', 'cat', 'mat']);
  expect(data.notes).toEqual(['pixels of 3 crowds do not count']);
  const { masks } = await data.test.batch([0, 1]);
  const rows = Array.from({ length: 2 * HEIGHT }, (_, row) => [
    ...masks.subarray(row * WIDTH, (row + 1) * WIDTH),
  ]);
  expect(rows.slice(0, HEIGHT)).toEqual([
    [1, 1, 1, 2, 2, 2],
    [1, 1, 1, 2, 2, 2],
    [1, 1, 1, 0, 255, 255],
    [0, 0, 0, 0, 255, 255],
  ]);
  expect(
    rows
      .slice(HEIGHT)
      .flat()
      .every((label) => label === 0),
  ).toBe(true);
  const before = await identifySegmentationDataset(root);
  expect(await identifySegmentationDataset(root)).toEqual(before);
  const moved = { ...plain, annotations: [{ ...plain.annotations[0], segmentation: [[0, 0, 2, 0, 2, 2]] }] };
  const other = await written({ train: moved, val: plain, test: plain });
  expect(await identifySegmentationDataset(other)).not.toEqual(before);
});

test('outlines without a pixel are left out and counted; those of nothing else are nothing to learn from', async () => {
  const thin = [[1.6, 0, 2.4, 0, 2.4, 4, 1.6, 4]];
  const bare = [
    { id: 5, image_id: 2, category_id: 7, segmentation: thin },
    { id: 6, image_id: 2, category_id: 7, segmentation: { size: [4, 6], counts: [24] } },
    { id: 7, image_id: 3, category_id: 2, segmentation: [[2, 2, 2, 2, 2, 2]], iscrowd: 1 },
  ];
  const some = { ...plain, annotations: [...plain.annotations, ...bare] };
  const root = await written({ train: some, val: plain, test: plain });
  const data = await openSegmentationDataset(root, { imageSize: { height: HEIGHT, width: WIDTH } });
  expect(data.notes).toEqual([
    'pixels of 3 crowds do not count',
    '3 outlines of train that cover no pixel: left out',
  ]);
  const none = await written({ train: { ...plain, annotations: bare }, val: plain, test: plain });
  await expect(openSegmentationDataset(none, { imageSize: 4 })).rejects.toThrow(/outlines to learn from/);
});

test('a pixel or more is what the painting has', () => {
  const corner = fc.float({ min: -1, max: 7, noNaN: true });
  const polygons = fc.array(fc.array(corner, { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 2 });
  fc.assert(
    fc.property(polygons, (shape) => {
      expect(hasPixels(shape, { width: WIDTH, height: HEIGHT })).toBe(maskOf(shape).includes(1));
    }),
  );
});

test('an outline beyond its picture is named by its annotation', async () => {
  const wide = { id: 'far', image_id: 1, category_id: 7, segmentation: [[0, 0, 9, 0, 9, 2]] };
  const root = await written({ train: { ...plain, annotations: [wide] }, val: plain, test: plain });
  await expect(openSegmentationDataset(root, { imageSize: 4 })).rejects.toThrow(
    /outlines within their pictures.*annotation far, category 7 in image 1: a corner at 9, 0 of 6×4/s,
  );
});

test.each([
  ['two corners', { segmentation: [[0, 0, 3, 3]] }, /polygons of three corners or more/],
  ['another image', { image_id: 9 }, /images and categories that are listed/],
  ['runs of another size', { segmentation: { size: [3, 3], counts: [9] } }, /runs of 3×3 pixels/],
  ['runs of another length', { segmentation: { size: [4, 6], counts: [20] } }, /runs of 20 pixels in all/],
  ['nothing outlined', { segmentation: [] }, /polygons of three corners or more/],
  [
    'a corner elsewhere',
    { segmentation: [[0, 0, 8, 0, 8, 2]] },
    /category 7 in image 1: a corner at 8, 0 of 6×4/,
  ],
])('outlines with %s are refused by name', async (_, wrong, message) => {
  const annotations = [{ ...plain.annotations[0], ...wrong }];
  const root = await written({ train: plain, val: plain, test: { ...plain, annotations } });
  const opened = openSegmentationDataset(root, { imageSize: 4 }).then((data) => data.test.batch([0]));
  await expect(opened).rejects.toThrow(message);
});

test.each([
  [
    'a picture twice',
    { images: [...images, { ...images[0], id: 4 }] },
    /picture of their own.*1\.png, of 1 and 4/s,
  ],
  [
    'an id of two categories',
    {
      categories: [
        { id: 7, name: 'cat' },
        { id: '7', name: 'mat' },
      ],
    },
    /categories with an id/,
  ],
  [
    'a category for what is outlined by nobody',
    { categories: [{ id: 7, name: 'background' }] },
    /another name than/,
  ],
  ['nothing to learn', { annotations: [] }, /outlines to learn from/],
])('files with %s are refused', async (_, wrong, message) => {
  const root = await written({
    train: { ...plain, annotations: plain.annotations.slice(0, 1), ...wrong },
    val: plain,
  });
  await expect(openSegmentationDataset(root, { imageSize: 4 })).rejects.toThrow(message);
});

test('categories that do not count keep those behind them in their places; objects without an area have that of their outline', async () => {
  const categories = [{ id: 3, name: 'void' }, ...plain.categories];
  const annotations = [
    { image_id: 1, category_id: 3, segmentation: [[3, 2, 6, 2, 6, 4, 3, 4]] },
    { image_id: 1, category_id: 2, segmentation: { size: [4, 6], counts: [0, 8, 16] } },
    { image_id: 1, category_id: 7, segmentation: [[0, 0, 6, 0, 6, 2, 0, 2]] },
  ];
  const own = { ...plain, categories, annotations };
  const data = await openSegmentationDataset(await written({ train: own, val: own, test: own }), {
    imageSize: { height: HEIGHT, width: WIDTH },
  });
  expect(data.classes).toEqual(['background', 'cat', 'mat']);
  const { masks } = await data.test.batch([0]);
  expect(
    Array.from({ length: HEIGHT }, (_, row) => [...masks.subarray(row * WIDTH, (row + 1) * WIDTH)]),
  ).toEqual([
    [2, 2, 1, 1, 1, 1],
    [2, 2, 1, 1, 1, 1],
    [2, 2, 0, 255, 255, 255],
    [2, 2, 0, 255, 255, 255],
  ]);
});
