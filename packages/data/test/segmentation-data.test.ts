import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IGNORED, randomStream } from '@winnow/core';
import { inTemporaryFolder, writePicture } from '@winnow/testkit';
import { assert, array, constantFrom, integer, property, tuple } from 'fast-check';
import sharp from 'sharp';
import {
  identifySegmentationDataset,
  namedDatasets,
  namesSegmentationData,
  openSegmentationDataset,
} from '../src/index';
import { indexPng } from '../src/segmented/index-png';
import { labelsFromOne, labelsNamed, meant } from '../src/segmented/labels';
import { randomCrop } from '../src/segmented/random-crop';
import { segmentationData } from '../src/segmented/segmentation-data';
import { sceneMaskSets, sceneMasks } from '../src/scenes/scene-masks';
import { type IndexPicture, writtenPng } from './index-png';

describe('a PNG of indices', () => {
  test('is read number by number, whatever its depth, palette and filters', () => {
    const depths = constantFrom<IndexPicture['depth'][]>(1, 2, 4, 8);
    assert(
      property(
        tuple(integer({ min: 1, max: 9 }), integer({ min: 1, max: 6 }), depths, constantFrom(true, false)),
        array(integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 6 }),
        integer(),
        ([width, height, depth, palette], filters, seed) => {
          const random = randomStream(seed, 'labels');
          const labels = Array.from({ length: width * height }, () => random.integer(2 ** depth));
          const found = indexPng(writtenPng({ width, height, depth, palette, labels, filters }), 'a.png');
          expect(found).toEqual({ width, height, labels: Uint8Array.from(labels) });
        },
      ),
      { numRuns: 60 },
    );
  });

  test('is read as other programs write it', async () => {
    const labels = Uint8Array.from({ length: 35 }, (_, i) => (i * 11) % 256);
    const file = await sharp(labels, { raw: { width: 7, height: 5, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    expect([...indexPng(file, 'a.png').labels]).toEqual([...labels]);
  });

  test('is refused by name where it is something else, too large, or damaged', async () => {
    const whole = writtenPng({
      width: 4,
      height: 4,
      depth: 8,
      palette: false,
      labels: new Array(16).fill(1),
      filters: [0],
    });
    expect(() => indexPng(Buffer.from('JFIF'), 'x/a.png')).toThrow(/a mask in x\/a\.png.*no PNG/);
    const colours = await sharp(new Uint8Array(12), { raw: { width: 2, height: 2, channels: 3 } })
      .png()
      .toBuffer();
    expect(() => indexPng(colours, 'a.png')).toThrow(/a PNG of colours/);
    const levels = { width: 4, height: 4, depth: 8, palette: false, labels: [], filters: [0] } as const;
    expect(() => indexPng(writtenPng(levels, 1), 'a.png')).toThrow(/interlaced/);
    const huge = Buffer.from(whole);
    huge.writeUInt32BE(2 ** 30, 16);
    expect(() => indexPng(huge, 'a.png')).toThrow(/1073741824×4 pixels/);
    const longer = Buffer.from(whole);
    longer.writeUInt32BE(3, 20); // more lines than the header says
    expect(() => indexPng(longer, 'a.png')).toThrow(/ends too early or is damaged/);
    for (let length = 8; length < whole.length; length += 5) {
      expect(() => indexPng(whole.subarray(0, length), 'a.png')).toThrow(/ends too early or is damaged/);
    }
  });
});

describe('numbers in masks', () => {
  const mask = (...labels: number[]) => ({
    width: labels.length,
    height: 1,
    labels: Uint8Array.from(labels),
  });

  test('are classes, or do not count', () => {
    expect([...meant(mask(0, 1, 3, 255), labelsFromOne(['wall', 'door', 'tree']), 'a.png').labels]).toEqual([
      IGNORED,
      0,
      2,
      IGNORED,
    ]);
    const named = labelsNamed(['sky', 'void', 'car'], 'classes.txt');
    expect(named.classes).toEqual(['sky', 'car']);
    expect([...meant(mask(2, 1, 0), named, 'a.png').labels]).toEqual([1, IGNORED, 0]);
  });

  test('are refused where there is no such class, and so are names that tell nothing apart', () => {
    expect(() => meant(mask(0, 4), labelsNamed(['a', 'b'], 'x'), 'x/a.png')).toThrow(
      /numbers of 0 to 1 in the mask x\/a\.png.*found 4/,
    );
    expect(() => labelsNamed(['a', 'a'], 'classes.txt')).toThrow(/each once/);
    expect(() => labelsNamed(['a', 'void'], 'classes.txt')).toThrow(/2 to 255 names/);
  });
});

test('a crop shows picture and mask alike, mirrored or not, and what is beyond does not count', () => {
  const [width, height] = [20, 12];
  // The level of red says the class.
  const labels = Uint8Array.from(
    { length: width * height },
    (_, i) => ((i % width) >> 2) + 5 * (i >= 120 ? 1 : 0),
  );
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) =>
    i % 3 === 0 ? 10 * (labels[i / 3] ?? 0) : 0,
  );
  const example = { picture: { width, height, pixels }, mask: { width, height, labels } };
  let beyond = 0;
  for (let seed = 0; seed < 40; seed++) {
    const crop = randomCrop(example, { height: 8, width: 10 }, randomStream(seed, 'crop'));
    expect(crop.picture.pixels).toHaveLength(8 * 10 * 3);
    crop.mask.labels.forEach((label, place) => {
      const [x, y] = [place % 10, Math.floor(place / 10)];
      const isShown = x < crop.shown.width && y < crop.shown.height;
      if (!isShown) beyond++;
      expect(label === IGNORED).toBe(!isShown);
    });
    expect(randomCrop(example, { height: 8, width: 10 }, randomStream(seed, 'crop'))).toEqual(crop);
  }
  expect(beyond).toBeGreaterThan(0);
});

describe('scenes with masks', () => {
  test('are listed by name', async () => {
    expect(namedDatasets.map(({ name }) => name)).toEqual(
      expect.arrayContaining(sceneMaskSets.map(({ name }) => name)),
    );
    expect(await namesSegmentationData('scenes-masks')).toBe(true);
    expect(await namesSegmentationData('scenes-captions')).toBe(false);
    await expect(openSegmentationDataset('scenes-mask', { imageSize: 96 })).rejects.toThrow(
      'Did you mean scenes-masks?',
    );
    expect(await identifySegmentationDataset('scenes-masks')).not.toEqual(
      await identifySegmentationDataset('scenes-masks-small'),
    );
  });

  test('have the group of each pixel, whole where the model takes all of it, and else beside the middle', async () => {
    const found = await sceneMasks({
      name: 'few',
      test: 'new drawings',
      sizes: { train: 4, validation: 2, test: 2 },
    });
    expect(found.classes).toHaveLength(9);
    const data = await segmentationData(found, { imageSize: 96 });
    const batch = await data.test.batch([0, 1]);
    expect(batch.wholes).toBeUndefined();
    expect(batch.masks).toHaveLength(2 * 96 * 96);
    expect(new Set(batch.masks).size).toBeGreaterThan(1);
    expect(Math.max(...batch.masks)).toBeLessThan(9);
    const varied = await data.train.batch([0, 1], { seed: 1, epoch: 0 });
    expect(varied.masks).not.toEqual((await data.train.batch([0, 1])).masks);
    expect(await data.train.batch([0, 1], { seed: 1, epoch: 0 })).toEqual(varied);
    const smaller = await segmentationData(found, { imageSize: { height: 32, width: 16 }, varied: false });
    const { wholes, masks } = await smaller.test.batch([0, 1]);
    expect(masks).toHaveLength(2 * 32 * 16);
    expect(wholes?.map(({ width, height, maskWidth }) => [width, height, maskWidth])).toEqual([
      [32, 32, 96],
      [32, 32, 96],
    ]);
    expect(await smaller.train.batch([0], { seed: 1, epoch: 0 })).toEqual(await smaller.train.batch([0]));
  });
});

describe('folders of pictures and masks', () => {
  const picture = (path: string, width = 6, height = 4) =>
    writePicture(path, { width, height, channels: 3, levels: new Uint8Array(width * height * 3).fill(90) });
  const mask = (path: string, repeated: readonly number[], width = 6, height = 4) => {
    const labels = Array.from({ length: width * height }, (_, i) => repeated[i % repeated.length] ?? 0);
    return writeFile(path, writtenPng({ width, height, depth: 8, palette: true, labels, filters: [0, 1] }));
  };

  async function camVid(root: string): Promise<void> {
    for (const split of ['train', 'val', 'test']) {
      await mkdir(join(root, split), { recursive: true });
      await mkdir(join(root, `${split}annot`), { recursive: true });
      await picture(join(root, split, 'a.png'));
      await mask(join(root, `${split}annot`, 'a.png'), [0, 3, 11]);
    }
  }

  test("CamVid's: eleven classes, and a twelfth number that does not count", async () => {
    await inTemporaryFolder(async (root) => {
      await camVid(root);
      expect(await namesSegmentationData(root)).toBe(true);
      const data = await openSegmentationDataset(root, { imageSize: 4, preload: true });
      expect(data.classes).toHaveLength(11);
      expect([data.train.size, data.validation.size, data.test.size]).toEqual([1, 1, 1]);
      const { wholes } = await data.test.batch([0]);
      expect([...(wholes?.[0]?.mask.subarray(0, 3) ?? [])]).toEqual([0, 3, IGNORED]);
      const before = await identifySegmentationDataset(root);
      await mask(join(root, 'trainannot', 'a.png'), [1]);
      expect(await identifySegmentationDataset(root)).not.toEqual(before);
    });
  });

  test("ADE20k's: 0 does not count, and its validation is the test", async () => {
    await inTemporaryFolder(async (root) => {
      for (const split of ['training', 'validation']) {
        for (const kind of ['images', 'annotations'])
          await mkdir(join(root, kind, split), { recursive: true });
        await picture(join(root, 'images', split, 'a.png'));
        await mask(join(root, 'annotations', split, 'a.png'), [0, 1, 150]);
      }
      const data = await openSegmentationDataset(root, { imageSize: 4 });
      expect([data.classes.length, data.validation.size, data.test.size]).toEqual([150, 0, 1]);
      const { wholes } = await data.test.batch([0]);
      expect([...(wholes?.[0]?.mask.subarray(0, 3) ?? [])]).toEqual([IGNORED, 0, 149]);
      const names = Array.from(
        { length: 150 },
        (_, i) => `${i + 1}\t0.1\t1\t1\t0\t${i === 149 ? 'wall' : i === 0 ? 'wall' : `n${i}`}`,
      );
      await writeFile(
        join(root, 'objectInfo150.txt'),
        ['Idx\tRatio\tTrain\tVal\tStuff\tName', ...names, ''].join('\n'),
      );
      const named = await openSegmentationDataset(root, { imageSize: 4 });
      expect([named.classes[0], named.classes[149]]).toEqual(['wall', 'wall (150)']);
    });
  });

  test('mistakes are named: another size, an unknown number, a picture without a mask', async () => {
    await inTemporaryFolder(async (root) => {
      await camVid(root);
      await mask(join(root, 'trainannot', 'a.png'), [0], 5, 4);
      const open = () => openSegmentationDataset(root, { imageSize: 4, preload: true });
      await expect(open()).rejects.toThrow(/a mask of 6×4 pixels in .*trainannot\/a\.png.*found 5×4/);
      await mask(join(root, 'trainannot', 'a.png'), [40]);
      await expect(open()).rejects.toThrow(/numbers of 0 to 11 .*found 40.*classes\.txt/);
      await writeFile(
        join(root, 'classes.txt'),
        Array.from({ length: 41 }, (_, i) => `class ${i}`).join('\n'),
      );
      expect((await open()).classes).toHaveLength(41);
      await rm(join(root, 'trainannot', 'a.png'));
      await mask(join(root, 'trainannot', 'b.png'), [0]);
      await expect(open()).rejects.toThrow(/1 picture without/);
    });
  });
});
