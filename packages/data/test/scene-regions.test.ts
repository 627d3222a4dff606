import type { RegionBox } from '@winnow/core';
import fc from 'fast-check';
import {
  type PictureCache,
  type RegionReader,
  boxesBy,
  openQuestionDataset,
  openRegionQuestionDataset,
  regionRules,
} from '../src/index';
import { knownRegions } from '../src/regions/known-regions';

const box = fc
  .tuple(
    fc.double({ min: 0, max: 0.8, noNaN: true }),
    fc.double({ min: 0, max: 0.8, noNaN: true }),
    fc.double({ min: 0.05, max: 0.2, noNaN: true }),
    fc.double({ min: 0.05, max: 0.2, noNaN: true }),
  )
  .map(([left, top, width, height]): RegionBox => [left, top, left + width, top + height]);

test('boxes by a rule lie in the picture, have an area, and depend on seed and picture alone', () => {
  fc.assert(
    fc.property(
      fc.array(box, { maxLength: 6 }),
      fc.constantFrom(...regionRules),
      fc.integer({ min: 0, max: 99 }),
      (objects, rule, seed) => {
        const found = boxesBy({ rule, seed }, 'scenes/train/3.png', objects);
        expect(found).toHaveLength(Math.max(1, objects.length) + (rule === 'crowded' ? 4 : 0));
        for (const [left, top, right, bottom] of found) {
          expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
          expect(Math.max(right, bottom)).toBeLessThanOrEqual(1);
          expect(right - left).toBeGreaterThan(0);
          expect(bottom - top).toBeGreaterThan(0);
        }
        expect(boxesBy({ rule, seed }, 'scenes/train/3.png', objects)).toEqual(found);
        if (rule !== 'true')
          expect(boxesBy({ rule, seed }, 'scenes/train/4.png', objects)).not.toEqual(found);
      },
    ),
    { numRuns: 60 },
  );
});

test('jittered boxes overlap those that they come from by half and more', () => {
  const own: RegionBox = [0.2, 0.3, 0.5, 0.7];
  for (let seed = 0; seed < 50; seed++) {
    const [[left, top, right, bottom] = [0, 0, 0, 0]] = boxesBy({ rule: 'jittered', seed }, 'a', [own]);
    const shared =
      (Math.min(right, own[2]) - Math.max(left, own[0])) * (Math.min(bottom, own[3]) - Math.max(top, own[1]));
    const all = (right - left) * (bottom - top) + 0.3 * 0.4 - shared;
    expect(shared / all).toBeGreaterThan(0.5);
  }
});

/** Says of a region the first pixel of its picture and its left side, and counts how often it is lent. */
function plainReader(digest = 'plain') {
  const lent = { times: 0 };
  const reader: RegionReader = {
    features: 2,
    digest,
    lend: (use) => {
      lent.times++;
      return use((images, boxes) => {
        const pixels = images.length / boxes.length;
        return Promise.resolve(
          Float32Array.from(
            boxes.flatMap((own, picture) => own.flatMap(([left]) => [images[picture * pixels] ?? 0, left])),
          ),
        );
      });
    },
  };
  return { reader, lent };
}

function memoryCache() {
  const files = new Map<string, Uint8Array>();
  const cache: PictureCache = {
    read: (key) => Promise.resolve(files.get(key)),
    write: (key, content) => {
      files.set(key, content);
      return Promise.resolve();
    },
  };
  return { cache, files };
}

test('regions of scenes with questions: the boxes of their objects, what a reader says of them, the same questions', async () => {
  const { reader, lent } = plainReader();
  const options = { imageSize: 8 };
  const plain = await openQuestionDataset('scenes-questions-tiny', options);
  const data = await openRegionQuestionDataset('scenes-questions-tiny', options, {
    ...{ rule: 'true', seed: 0, reader },
  });
  expect(data.train.size).toBe(plain.train.size);
  expect(data.context).toBe(plain.context);
  const [batch, pictures] = [await data.test.batch([0, 5, 9]), await plain.test.batch([0, 5, 9])];
  expect(batch.answers).toEqual(pictures.answers);
  expect(batch.tokens).toEqual(pictures.tokens);
  expect('images' in batch).toBe(false);
  const { count, features, boxes, real } = batch.regions;
  expect(count).toBeGreaterThanOrEqual(2);
  expect(count).toBeLessThanOrEqual(data.regions);
  const pixels = pictures.images.length / 3;
  for (let region = 0; region < 3 * count; region++) {
    const [left = 0, top = 0, right = 0, bottom = 0] = boxes.subarray(4 * region, 4 * region + 4);
    const said = [...features.subarray(2 * region, 2 * region + 2)];
    if (real[region] === 0) expect([left, top, right, bottom, ...said]).toEqual([0, 0, 0, 0, 0, 0]);
    else expect(said).toEqual([pictures.images[Math.floor(region / count) * pixels], left]);
  }
  await data.test.batch([1]);
  expect(lent.times).toBe(1); // all of the test at once, and nothing of the training
});

test('what was read is kept: for the same pictures, boxes, recipe and reader, and not where it was damaged', async () => {
  const { cache, files } = memoryCache();
  const boxes: Record<string, readonly RegionBox[]> = {
    a: [
      [0, 0, 0.5, 1],
      [0.5, 0, 1, 1],
    ],
    b: [[0.25, 0, 1, 1]],
  };
  const read = async (digest: string, word = 'word', moved: Record<string, readonly RegionBox[]> = {}) => {
    const { reader, lent } = plainReader(digest);
    const known = await knownRegions({
      ...{ paths: ['a', 'b'], reader, recipe: 'squashed', cache },
      boxesOf: (path) => moved[path] ?? boxes[path] ?? [],
      pixels: (paths) => Promise.resolve(Float32Array.from(paths, (path) => path.charCodeAt(0))),
      contents: () => Promise.resolve(['same', word]),
    });
    return { said: [...known.values()].map(({ features }) => [...features]), times: lent.times };
  };
  const said = [
    [97, 0, 97, 0.5],
    [98, 0.25],
  ];
  expect(await read('one')).toEqual({ said, times: 1 });
  expect(await read('one')).toEqual({ said, times: 0 });
  expect((await read('another')).times).toBe(1);
  expect((await read('one', 'other word')).times).toBe(1);
  expect(await read('one', 'word', { b: [[0.5, 0, 1, 1]] })).toEqual({
    said: [said[0], [98, 0.5]],
    times: 1,
  });
  for (const content of files.values()) content[40] = (content[40] ?? 0) ^ 1;
  expect(await read('one')).toEqual({ said, times: 1 });
});
