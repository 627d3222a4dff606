import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ImageClassificationData, evaluationBatches, trainingBatches } from '@winnow/core';
import { DataError, type ImageFolderOptions, imageFolder, imageNetNormalisation } from '../src/index';
import { holdOut } from '../src/split/hold-out';
import { WELL_FORMED, gradient, picture, temporaryFolders, writeTree } from './pictures/temporary';

const temporary = temporaryFolders();
const OPTIONS: ImageFolderOptions = { imageSize: 16 };

async function folder(files: Record<string, number | Buffer>): Promise<string> {
  const root = await temporary('pets');
  await writeTree(root, files);
  return root;
}

async function opened(options: Partial<ImageFolderOptions> = {}): Promise<ImageClassificationData> {
  return imageFolder(await folder(WELL_FORMED), { ...OPTIONS, ...options });
}

async function failure(promise: Promise<unknown>): Promise<DataError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof DataError) return error;
  throw new Error(`expected a DataError, got ${String(error)}`);
}

describe('a well-formed folder', () => {
  test('has the classes and sizes of its folders', async () => {
    const data = await opened();
    expect(data).toMatchObject({ name: 'pets', classes: ['cat', 'dog'], imageSize: 16, channels: 3 });
    expect([data.train.size, data.validation.size, data.test.size]).toEqual([6, 2, 2]);
    const batch = await data.train.batch([5, 0, 2]);
    expect(batch.size).toBe(3);
    expect([...batch.labels]).toEqual([1, 0, 0]);
    expect(batch.images).toHaveLength(3 * 16 * 16 * 3);
  });

  test('gives exactly normalised pixels of the middle square', async () => {
    const data = await opened();
    const { images } = await data.test.batch([0]);
    const source = gradient(20, 16, 9);
    for (let y = 0; y < 16; y++) {
      for (let x = 0; x < 16; x++) {
        for (const channel of [0, 1, 2] as const) {
          const level = source[(y * 20 + x + 2) * 3 + channel] ?? Number.NaN;
          const { mean, std } = imageNetNormalisation;
          const expected = Math.fround((level / 255 - mean[channel]) / std[channel]);
          expect(images[(y * 16 + x) * 3 + channel]).toBe(expected);
        }
      }
    }
  });

  test('evaluates each picture the same alone and in company, with and without the cache', async () => {
    const root = await folder(WELL_FORMED);
    const [kept, decodedAnew] = await Promise.all([
      imageFolder(root, OPTIONS),
      imageFolder(root, { ...OPTIONS, cacheBytes: 0 }),
    ]);
    const together = await kept.train.batch([0, 1, 2, 3]);
    const alone = await decodedAnew.train.batch([2]);
    const values = 16 * 16 * 3;
    expect(together.images.slice(2 * values, 3 * values)).toEqual(alone.images);
  });

  test.each(['light', 'captions', 'symbols', 'standard'] as const)(
    'preset %s: seed, epoch and example decide a training picture, whatever the batch',
    async (augmentation) => {
      const data = await opened({ augmentation });
      const again = await opened({ augmentation, cacheBytes: 0 });
      const values = 16 * 16 * 3;
      const together = await data.train.batch([4, 1, 3], { seed: 7, epoch: 2 });
      const alone = await again.train.batch([1], { seed: 7, epoch: 2 });
      expect(together.images.slice(values, 2 * values)).toEqual(alone.images);
      expect(together.images.every((value) => value > -2.2 && value < 2.7)).toBe(true);
      const epochs = await data.train.batch([1], { seed: 7, epoch: 3 });
      const seeds = await data.train.batch([1], { seed: 8, epoch: 2 });
      expect(epochs.images).not.toEqual(alone.images);
      expect(seeds.images).not.toEqual(alone.images);
    },
  );

  test('preset none: training sees what evaluation sees', async () => {
    const data = await opened({ augmentation: 'none' });
    expect(await data.train.batch([1, 0], { seed: 1, epoch: 1 })).toEqual(await data.train.batch([1, 0]));
  });

  test('serves the training and evaluation loops of the core', async () => {
    const data = await opened();
    const source = trainingBatches(data.train, { batchSize: 4, seed: 1, augment: true });
    expect((await source.at(0)).size).toBe(4);
    const sizes: number[] = [];
    for await (const batch of evaluationBatches(data.test, 4)) sizes.push(batch.size);
    expect(sizes).toEqual([2]);
  });

  test('passes over hidden and foreign files, and follows symbolic links', async () => {
    const root = await folder({
      ...WELL_FORMED,
      'train/.DS_Store': Buffer.from('x'),
      'train/cat/notes.txt': Buffer.from('x'),
    });
    await symlink(join(root, 'test', 'cat', '5.png'), join(root, 'train', 'cat', '0.png'));
    expect((await imageFolder(root, OPTIONS)).train.size).toBe(7);
  });

  test('evaluationCropShare cuts the middle out of a larger picture', async () => {
    const whole = await opened();
    const middle = await opened({ evaluationCropShare: 0.5 });
    expect((await middle.test.batch([0])).images).toHaveLength(16 * 16 * 3);
    expect((await middle.test.batch([0])).images).not.toEqual((await whole.test.batch([0])).images);
  });

  test('refuses options and indices outside their range', async () => {
    await expect(opened({ imageSize: 0 })).rejects.toThrow('imageSize');
    await expect(opened({ imageSize: 5000 })).rejects.toThrow('1 to 4096 pixels');
    await expect(opened({ evaluationCropShare: 1e-9 })).rejects.toThrow('at most 4096 pixels');
    await expect(opened({ evaluationCropShare: 0 })).rejects.toThrow('evaluationCropShare');
    await expect(opened({ cacheBytes: -1 })).rejects.toThrow('cacheBytes');
    await expect(opened({ normalisation: { mean: [0, 0, 0], std: [1, 0, 1] } })).rejects.toThrow('std');
    await expect((await opened()).test.batch([2])).rejects.toThrow('an index below 2');
  });
});

describe('splits', () => {
  const without = (...prefixes: string[]) =>
    Object.fromEntries(
      Object.entries(WELL_FORMED).filter(([path]) => !prefixes.some((prefix) => path.startsWith(prefix))),
    );

  test('without validation, a seeded share of every class is set aside', async () => {
    const root = await folder(without('validation'));
    const data = await imageFolder(root, OPTIONS);
    expect([data.train.size, data.validation.size, data.test.size]).toEqual([4, 2, 2]);
    const again = await imageFolder(root, OPTIONS);
    expect(await again.validation.batch([0, 1])).toEqual(await data.validation.batch([0, 1]));
  });

  test('without test, the validation pictures are the test', async () => {
    const root = await folder(without('test'));
    await rm(join(root, 'validation', 'cat', '4.png'));
    const data = await imageFolder(root, OPTIONS);
    expect([data.train.size, data.validation.size, data.test.size]).toEqual([4, 2, 1]);
  });

  test('a share held out is disjoint, complete, stratified and decided by the seed', () => {
    const examples = Array.from({ length: 100 }, (_, index) => ({
      index,
      label: index < 80 ? 0 : index < 99 ? 1 : 2,
    }));
    const { kept, heldOut } = holdOut(examples, 0.1, 5);
    expect([...kept, ...heldOut].map(({ index }) => index).sort((a, b) => a - b)).toEqual(
      examples.map(({ index }) => index),
    );
    const count = (label: number) => heldOut.filter((example) => example.label === label).length;
    expect([count(0), count(1), count(2)]).toEqual([8, 2, 0]);
    expect(holdOut(examples, 0.1, 5).heldOut).toEqual(heldOut);
    expect(holdOut(examples, 0.1, 6).heldOut).not.toEqual(heldOut);
  });

  test('nothing held out at all is an error', async () => {
    const error = await failure(
      folder(without('test', 'validation')).then((root) => imageFolder(root, OPTIONS)),
    );
    expect(error.message).toContain('held-out pictures');
  });

  test('two validation folders are an error', async () => {
    const root = await folder({ ...WELL_FORMED, 'val/cat/1.png': 1, 'val/dog/1.png': 1 });
    expect((await failure(imageFolder(root, OPTIONS))).message).toContain('one validation folder');
  });
});

describe('mistakes in the data', () => {
  test('a missing root and a missing train folder say what was expected', async () => {
    const root = await temporary('empty');
    expect((await failure(imageFolder(join(root, 'nowhere'), OPTIONS))).message).toContain('train/<class>');
    expect((await failure(imageFolder(root, OPTIONS))).message).toContain(join(root, 'train'));
    await mkdir(join(root, 'train'));
    await mkdir(join(root, 'test'));
    expect((await failure(imageFolder(root, OPTIONS))).message).toContain('one folder of pictures per class');
  });

  test('an empty class is named', async () => {
    const root = await folder({ ...WELL_FORMED, 'train/bird/readme.txt': Buffer.from('soon') });
    expect((await failure(imageFolder(root, OPTIONS))).message).toContain(join(root, 'train', 'bird'));
  });

  test('classes that differ between splits are named', async () => {
    const extra = await folder({ ...WELL_FORMED, 'test/bird/1.png': 1 });
    expect((await failure(imageFolder(extra, OPTIONS))).message).toContain('also bird');
    const missing = await folder({ ...WELL_FORMED, 'train/bird/1.png': 1, 'test/bird/1.png': 1 });
    expect((await failure(imageFolder(missing, OPTIONS))).message).toContain('no bird');
  });

  test('a split without pictures, a broken link and an unreadable format are named', async () => {
    const root = await folder(WELL_FORMED);
    await writeFile(join(root, 'train', 'cat', 'x.bmp'), 'x');
    expect((await failure(imageFolder(root, OPTIONS))).message).toContain('x.bmp');
    await rm(join(root, 'train', 'cat', 'x.bmp'));
    await symlink(join(root, 'gone.png'), join(root, 'train', 'cat', 'y.png'));
    expect((await failure(imageFolder(root, OPTIONS))).message).toContain('y.png');
    await rm(join(root, 'train', 'cat', 'y.png'));
    await rm(join(root, 'test', 'cat', '5.png'));
    await rm(join(root, 'test', 'dog', '5.png'));
    expect((await failure(imageFolder(root, OPTIONS))).message).toContain(
      `pictures in ${join(root, 'test')}`,
    );
  });

  test('a broken picture fails its batch, and with preload the opening, which lists all', async () => {
    const jpeg = await picture(64, 64).jpeg().toBuffer();
    const root = await folder({
      ...WELL_FORMED,
      'train/dog/4.jpg': jpeg.subarray(0, jpeg.length >> 1),
      'test/cat/6.png': Buffer.from('not a picture'),
    });
    const data = await imageFolder(root, OPTIONS);
    expect((await data.train.batch([0, 1, 2, 3, 4, 5])).size).toBe(6);
    const broken = join(root, 'train', 'dog', '4.jpg');
    expect((await failure(data.train.batch([6, 6, 0]))).message).toContain(broken);
    const source = trainingBatches(data.train, { batchSize: 7, seed: 1, augment: true });
    expect((await failure(source.at(0))).message).toContain(broken);
    const listed = (await failure(imageFolder(root, { ...OPTIONS, preload: true }))).message;
    expect(listed).toContain('2 files');
    expect(listed).toContain(broken);
    expect(listed).toContain(join(root, 'test', 'cat', '6.png'));
    await rm(broken);
    expect((await failure(imageFolder(root, { ...OPTIONS, preload: true }))).message).toContain('6.png');
    await rm(join(root, 'test', 'cat', '6.png'));
    await expect(imageFolder(root, { ...OPTIONS, preload: true })).resolves.toMatchObject({ name: 'pets' });
  });

  test('a broken picture of a batch is named with all others that are broken', async () => {
    const broken = ['5.png', '6.png', '7.png'].map((name) => join('train', 'dog', name));
    const root = await folder({
      ...WELL_FORMED,
      ...Object.fromEntries(broken.map((path, at) => [path, Buffer.from(`no picture ${at}`)])),
    });
    const data = await imageFolder(root, OPTIONS);
    for (const batch of [[data.train.size - 1], [...Array(data.train.size).keys()]]) {
      const { message } = await failure(data.train.batch(batch));
      const named = broken.filter((path) => message.includes(path));
      expect(message).toContain(`${named.length} files that cannot be used`);
      expect(named).toEqual(broken);
      expect(message.match(/that is none/g)).toHaveLength(named.length);
    }
  });
});
