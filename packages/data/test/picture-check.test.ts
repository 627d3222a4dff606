import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { trainingBatches } from '@winnow/core';
import fc from 'fast-check';
import { type ImageFolderOptions, type PictureCache, imageFolder } from '../src/index';
import { picture, temporaryFolders, writeTree } from './pictures/temporary';

const temporary = temporaryFolders();
const PICTURES = 520; // more than are looked at in any case
const PER_CLASS = PICTURES / 2;
let root: string;

beforeAll(async () => {
  root = await temporary('some');
  const tree: Record<string, Buffer> = {};
  const drawings = await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      picture(8 + (at % 4), 11 - (at % 3), 10 * at)
        .png()
        .toBuffer(),
    ),
  );
  for (let at = 0; at < PER_CLASS; at++) {
    const split = at % 5 === 0 ? 'test' : at % 5 === 1 ? 'validation' : 'train';
    tree[`${split}/cat/${at}.png`] = drawings[at % 20] ?? Buffer.alloc(0);
    tree[`${split}/dog/${at}.png`] = drawings[(at * 7) % 20] ?? Buffer.alloc(0);
  }
  await writeTree(root, tree);
});

/** A cache in memory, with room for so many bytes. */
const cacheOf = (mostBytes: number): PictureCache => {
  const contents = new Map<string, Uint8Array>();
  return {
    mostBytes,
    read: (key) => Promise.resolve(contents.get(key)),
    readPart: (key, start, bytes) => Promise.resolve(contents.get(key)?.slice(start, start + bytes)),
    write: (key, content) => {
      contents.set(key, Uint8Array.from(content));
      return Promise.resolve();
    },
  };
};

/** The batches that a training of two epochs and an evaluation see. */
const seen = async (options: Partial<ImageFolderOptions>): Promise<string> => {
  const data = await imageFolder(root, { imageSize: 8, ...options });
  const batches = trainingBatches(data.train, { batchSize: 24, seed: 3, augment: true });
  const all: Float32Array[] = [];
  for (let step = 0; step < 2 * batches.stepsPerEpoch; step++) all.push((await batches.at(step)).images);
  all.push((await data.test.batch([5, 0, 7])).images, (await data.validation.batch([1])).images);
  return Buffer.concat(all.map(({ buffer }) => Buffer.from(buffer))).toString('base64');
};

test('a training sees the same bytes, wherever and whenever pictures are decoded and kept', async () => {
  const plain = await seen({});
  const shared = new Map<number, PictureCache>();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(true, false, 'background' as const),
      fc.constantFrom(0, 500, 20_000, 10 ** 9),
      fc.constantFrom(undefined, 0, 10 ** 9),
      async (preload, cacheBytes, disk) => {
        if (disk !== undefined && !shared.has(disk)) shared.set(disk, cacheOf(disk));
        const pictureCache = disk === undefined ? undefined : shared.get(disk);
        const found = await seen({ preload, cacheBytes, ...(pictureCache && { pictureCache }) });
        expect(found === plain).toBe(true);
      },
    ),
    { numRuns: 12 },
  );
});

describe('with a broken picture in the middle', () => {
  const broken = () => join(root, 'train', 'dog', `${PER_CLASS - 1}.png`);
  let good: Buffer;
  beforeAll(async () => {
    good = await picture(9, 9, 1).png().toBuffer();
    await writeFile(broken(), good.subarray(0, 40));
  });
  afterAll(() => writeFile(broken(), good));

  const opened = (preload: boolean | 'background') => imageFolder(root, { imageSize: 8, preload });

  test('a training that never asks for it fails while it goes, by its name', async () => {
    const data = await opened('background');
    const go = async () => {
      for (let round = 0; round < 100 * PICTURES; round++) {
        await data.train.batch([0, 1, 2, 3], { seed: 1, epoch: round });
        await nextTurn(); // as a step of a training takes its time
      }
    };
    await expect(go()).rejects.toThrow(new RegExp(`${PER_CLASS - 1}\\.png`));
    await expect(data.test.batch([0])).rejects.toMatchObject({ exitCode: 2 });
  });

  test('without the check it never shows, and with preload at once', async () => {
    const data = await opened(false);
    for (let round = 0; round < PICTURES / 4; round++)
      await data.train.batch([0, 1, 2, 3], { seed: 1, epoch: round });
    await expect(opened(true)).rejects.toThrow(new RegExp(`${PER_CLASS - 1}\\.png`));
  });
});

test('up to 500 pictures are looked at before anything begins', async () => {
  const few = await temporary('few');
  const dot = await picture(8, 8, 3).png().toBuffer();
  await writeTree(few, {
    ...Object.fromEntries(
      ['train', 'test', 'validation'].flatMap((split) =>
        ['a', 'b'].flatMap((name) => [0, 1].map((at) => [`${split}/${name}/${at}.png`, dot] as const)),
      ),
    ),
    'train/a/2.png': Buffer.from('no picture'),
  });
  await expect(imageFolder(few, { imageSize: 8, preload: 'background' })).rejects.toThrow(/2\.png/);
});
