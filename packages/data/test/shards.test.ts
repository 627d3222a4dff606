import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { trainingBatches } from '@winnow/core';
import {
  type DatasetOptions,
  type PictureCache,
  identifyDataset,
  identifyImageTextDataset,
  isDataAt,
  namesImageTextData,
  openDataset,
  openImageTextDataset,
} from '../src/index';
import { failureOf } from './pictures/failure';
import { type WrittenEntry, tar } from './pictures/tar';
import { picture, temporaryFolders, writeTree } from './pictures/temporary';

const temporary = temporaryFolders();
const SIDE = 8;
const OPTIONS = { imageSize: SIDE } as const;

const png = (shift: number): Promise<Buffer> => picture(12, 10, shift).png().toBuffer();
const text = (content: string): Buffer => Buffer.from(content);

/** Examples n … of a shard: a picture and its class. */
const examples = async (from: number, to: number): Promise<WrittenEntry[]> => {
  const found: WrittenEntry[] = [];
  for (let at = from; at < to; at++) {
    const key = String(at).padStart(4, '0');
    found.push({ name: `${key}.png`, content: await png(at) });
    found.push({ name: `${key}.cls`, content: text(`${at % 2 === 0 ? 'cat' : 'dog'}\n`) });
  }
  return found;
};

const written = async (root: string, shards: Record<string, readonly WrittenEntry[]>): Promise<string> => {
  for (const [name, entries] of Object.entries(shards)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), tar(entries));
  }
  return root;
};

const memory = (): PictureCache & { readonly contents: Map<string, Uint8Array> } => {
  const contents = new Map<string, Uint8Array>();
  return {
    contents,
    read: (key) => Promise.resolve(contents.get(key)),
    write: (key, content) => Promise.resolve(void contents.set(key, content)),
  };
};

/** Three shards to train on, one to validate, one to test. */
const divided = async (): Promise<string> =>
  written(await temporary('divided'), {
    'train-0000.tar': await examples(0, 8),
    'train-0001.tar': await examples(8, 14),
    'train-0002.tar': await examples(14, 20),
    'val-0000.tar': await examples(20, 24),
    'test-0000.tar': await examples(24, 30),
  });

const trained = async (spec: string, from: number, to: number, options: Partial<DatasetOptions> = {}) => {
  const { train } = await openDataset(spec, { ...OPTIONS, ...options });
  const batches = trainingBatches(train, { batchSize: 4, seed: 5, augment: true });
  const seen: number[][] = [];
  for (let step = from; step < to; step++) {
    const { images, labels } = await batches.at(step);
    seen.push([...labels, ...images]);
  }
  return seen;
};

test('shards hold what a folder of the same pictures holds, for evaluation', async () => {
  const shards = await openDataset(await divided(), OPTIONS);
  const root = await temporary('folders');
  const tree: Record<string, Buffer> = {};
  for (let at = 0; at < 30; at++) {
    const split = at < 20 ? 'train' : at < 24 ? 'validation' : 'test';
    tree[`${split}/${at % 2 === 0 ? 'cat' : 'dog'}/${String(at).padStart(4, '0')}.png`] = await png(at);
  }
  await writeTree(root, tree);
  const folder = await openDataset(root, OPTIONS);
  expect(shards.classes).toEqual(folder.classes);
  const sizes = ({ train, validation, test }: typeof folder) => [train.size, validation.size, test.size];
  expect(sizes(shards)).toEqual(sizes(folder));
  // Folders list class by class, shards as they are packed.
  const one = await shards.test.batch([0, 2, 4, 1, 3, 5]);
  const other = await folder.test.batch([0, 1, 2, 3, 4, 5]);
  expect([...one.labels]).toEqual([...other.labels]);
  expect(one.images).toEqual(other.images);
});

test('an epoch has every picture once; going on in the middle sees what an uninterrupted training sees', async () => {
  const root = await divided();
  const whole = await trained(root, 0, 15);
  expect(await trained(root, 7, 15)).toEqual(whole.slice(7));
  expect(await trained(root, 0, 15, { preload: true, cacheBytes: 0 })).toEqual(whole);
  expect(await trained(root, 0, 15, { preload: 'background', pictureCache: memory() })).toEqual(whole);
  const { train } = await openDataset(root, OPTIONS);
  for (const epoch of [0, 1])
    expect([...(train.order?.({ seed: 5, epoch }) ?? [])].sort((a, b) => a - b)).toEqual([
      ...Array(20).keys(),
    ]);
  expect(train.order?.({ seed: 5, epoch: 0 })).not.toEqual(train.order?.({ seed: 5, epoch: 1 }));
});

test('a pattern, a folder and folders of splits name the same shards', async () => {
  const root = await divided();
  const folder = await openDataset(root, OPTIONS);
  const training = await openDataset(join(root, 'train-{0000..0002}.tar'), OPTIONS);
  expect(folder.train.size).toBe(20);
  expect(training.train.size + training.validation.size + training.test.size).toBe(20);
  const below = await temporary('below');
  for (const [folderName, names] of [
    ['train', ['train-0000.tar', 'train-0001.tar', 'train-0002.tar']],
    ['val', ['val-0000.tar']],
    ['test', ['test-0000.tar']],
  ] as const) {
    await mkdir(join(below, folderName));
    for (const name of names) await rename(join(root, name), join(below, folderName, name));
  }
  const found = await openDataset(below, OPTIONS);
  expect([found.train.size, found.validation.size, found.test.size]).toEqual([20, 4, 6]);
  expect(isDataAt(join(below, 'train', 'train-{0000..0002}.tar'))).toBe(true);
  expect(isDataAt(join(below, 'none', 'train-{0000..0002}.tar'))).toBe(false);
  expect(await failureOf(openDataset(join(below, 'train', 'train-{0000..0004}.tar'), OPTIONS))).toMatch(
    /2 that are not there.*train-0003\.tar.*train-0004\.tar/s,
  );
  expect(await failureOf(openDataset(join(below, 'x-{5..2}.tar'), OPTIONS))).toMatch(/ends before it begins/);
  expect(await failureOf(openDataset(join(below, 'x-{0..999999999}.tar'), OPTIONS))).toMatch(/1,000,000,000/);
});

test('without splits every class is divided, and a line says so', async () => {
  const root = await written(await temporary('whole'), {
    'shard-0.tar': await examples(0, 20),
    'shard-1.tar': await examples(20, 40),
  });
  const data = await openDataset(root, { ...OPTIONS, heldOutShares: { validation: 0.2, test: 0.1 } });
  expect([data.train.size, data.validation.size, data.test.size]).toEqual([28, 8, 4]);
  expect(data.notes.join()).toMatch(/no shard for validation or test: every class is divided 70\/20\/10/);
});

test('the identity is that of what is packed, and of how: not of where it lies', async () => {
  const root = await divided();
  const before = await identifyDataset(root);
  const moved = join(dirname(root), 'elsewhere');
  await rename(root, moved);
  expect(await identifyDataset(moved)).toEqual(before);
  await writeFile(join(moved, 'train-0001.tar'), tar(await examples(8, 13)));
  await writeFile(join(moved, 'train-0002.tar'), tar(await examples(13, 20)));
  const { shards, ...same } = await identifyDataset(moved);
  expect({ ...same, shards: before['shards'] }).toEqual(before);
  expect(shards).not.toBe(before['shards']);
  await writeFile(join(moved, 'train-0002.tar'), tar(await examples(14, 21)));
  expect((await identifyDataset(moved))['train']).not.toBe(before['train']);
});

test('a shard is looked through once, and again when it has changed', async () => {
  const root = await divided();
  await new Promise((resolve) => setTimeout(resolve, 3100)); // younger files may change within a tick of the clock
  const cache = memory();
  const first = await identifyDataset(root, { pictureCache: cache });
  const kept = new Map(cache.contents);
  expect(kept.size).toBe(5);
  expect(await identifyDataset(root, { pictureCache: cache })).toEqual(first);
  expect(cache.contents).toEqual(kept);
  for (const [key, content] of kept) cache.contents.set(key, content.subarray(0, -1));
  expect(await identifyDataset(root, { pictureCache: cache })).toEqual(first);
  await writeFile(join(root, 'test-0000.tar'), tar(await examples(24, 31)));
  expect((await identifyDataset(root, { pictureCache: cache }))['test']).not.toBe(first['test']);
});

test('pictures that several splits share are counted', async () => {
  const root = await written(await temporary('shared'), {
    'train.tar': await examples(0, 8),
    'test.tar': [
      ...(await examples(8, 10)),
      { name: 'again.png', content: await png(3) },
      { name: 'again.cls', content: text('dog') },
    ],
  });
  const { duplicates } = await openDataset(root, OPTIONS);
  expect((await duplicates()).join()).toMatch(
    /1 picture of test is also in (?:train|validation), byte for byte: test\.tar\/again\.png/,
  );
});

test('classes are names, or numbers by their value, under the names beside the shards', async () => {
  const numbered = (labels: readonly string[]) =>
    Promise.all(
      labels.map(async (label, at): Promise<WrittenEntry[]> => [
        { name: `${at}.jpg.png`.replace('.jpg', ''), content: await png(at) },
        { name: `${at}.json`, content: text(JSON.stringify({ label: Number(label), width: 12 })) },
      ]),
    );
  const labels = ['10', '2', '0', '10', '2', '0', '10', '2', '0'];
  const root = await written(await temporary('numbers'), { 'a.tar': (await numbered(labels)).flat() });
  expect((await openDataset(root, OPTIONS)).classes).toEqual(['0', '2', '10']);
  await writeFile(
    join(root, 'classnames.txt'),
    Array.from({ length: 11 }, (_, at) => `class ${at}`).join('\n'),
  );
  const named = await openDataset(join(root, 'a.tar'), OPTIONS);
  expect(named.classes).toEqual(['class 0', 'class 2', 'class 10']);
  expect(named.notes.join()).toMatch(/classnames\.txt/);
  expect([...(await named.train.batch([0, 1, 2])).labels].every((label) => label < 3)).toBe(true);
  await writeFile(join(root, 'classnames.txt'), 'one\ntwo\n');
  expect(await failureOf(openDataset(join(root, 'a.tar'), OPTIONS))).toMatch(
    /classes 0 to 10.*2 different names in 3 lines/,
  );
});

test('texts beside pictures make pairs', async () => {
  const captioned = async (from: number, to: number): Promise<WrittenEntry[]> => {
    const found: WrittenEntry[] = [];
    for (let at = from; at < to; at++) {
      found.push({ name: `p/${at}.png`, content: await png(at) });
      found.push(
        at % 2 === 0
          ? { name: `p/${at}.txt`, content: text(`picture number ${at}\n`) }
          : { name: `p/${at}.json`, content: text(JSON.stringify({ caption: `number ${at}` })) },
      );
    }
    return found;
  };
  const root = await written(await temporary('texts'), {
    'train-0.tar': await captioned(0, 6),
    'train-1.tar': await captioned(6, 12),
    'test-0.tar': await captioned(12, 15),
  });
  expect(await namesImageTextData(root)).toBe(true);
  expect(await namesImageTextData(await divided())).toBe(false);
  const data = await openImageTextDataset(root, OPTIONS);
  expect(data.texts.test).toEqual(['picture number 12', 'number 13', 'picture number 14']);
  expect([data.train.size + data.validation.size, data.test.size]).toEqual([12, 3]);
  expect(data.train.order?.({ seed: 1, epoch: 0 })).toHaveLength(data.train.size);
  expect((await data.test.batch([0, 1])).images).toHaveLength(2 * SIDE * SIDE * 3);
  expect(await identifyImageTextDataset(root)).toHaveProperty('shards');
  expect(await failureOf(openDataset(root, OPTIONS))).toMatch(
    /a class for every picture .*15 pictures without.*retrieval/s,
  );
});

test('what is wrong in a shard is said by its name, before anything begins', async () => {
  const root = await temporary('wrong');
  const good = await examples(0, 8);
  const refusedWith = async (more: readonly WrittenEntry[]): Promise<string> => {
    await written(root, { 'a.tar': [...good, ...more] });
    return failureOf(openDataset(root, OPTIONS));
  };
  const content = await png(1);
  expect(await refusedWith([{ name: '0000.jpg', content }])).toMatch(
    /a\.tar, but found two pictures of one name, 0000\.png and 0000\.jpg/,
  );
  expect(await refusedWith([{ name: '0000.png', content }])).toMatch(/0000\.png twice/);
  expect(await refusedWith([{ name: 'x.cls', content: text('cat') }])).toMatch(/1 example without one:\n- x/);
  expect(await refusedWith([{ name: 'x.png', content }])).toMatch(/1 picture without:\n- .*a\.tar\/x\.png/);
  expect(
    await refusedWith([
      { name: '0009.png', content },
      { name: '0009.cls', content: text(' ') },
    ]),
  ).toMatch(/no class of 1 to 200 characters in 0009\.cls/);
  expect(await refusedWith([{ name: '0009.json', content: text('{"label": 1.5}') }])).toMatch(
    /label is a short text or a whole number.* in 0009\.json/,
  );
  expect(await refusedWith([{ name: '0009.json', content: text('{') }])).toMatch(/no JSON in 0009\.json/);
  expect(await refusedWith([{ name: '0009.cls', content: Buffer.alloc(300_000, 'a') }])).toMatch(
    /0009\.cls of 300,000 bytes; at most 262,144/,
  );
  expect(await refusedWith([{ name: '../0009.cls', content: text('cat') }])).toMatch(/leads out/);
  await written(root, {
    'a.tar': [...good, { name: '0000.seg.png', content }, { name: 'README', content: text('hello') }],
  });
  expect((await openDataset(root, OPTIONS)).notes.join()).toMatch(
    /passed over in the shards: 1 file \.seg\.png, 1 file without an extension/,
  );
  await written(root, { 'train-1.tar': good });
  expect(await failureOf(openDataset(root, OPTIONS))).toMatch(
    /a split in the name of every shard .*1 shard without:\n- a\.tar/s,
  );
});

test('packed shards, a shard that has become shorter, and a broken picture are refused by name', async () => {
  const root = await temporary('packed');
  await writeFile(join(root, 'a.tar.gz'), Buffer.from([0x1f, 0x8b]));
  expect(await failureOf(openDataset(root, OPTIONS))).toMatch(
    /1 archive that is packed once more:\n- a\.tar\.gz/,
  );
  const shard = await written(await temporary('short'), { 'a.tar': await examples(0, 20) });
  const data = await openDataset(shard, OPTIONS);
  await writeFile(join(shard, 'a.tar'), '');
  expect(await failureOf(data.test.batch([0]))).toMatch(/a\.tar\/\d{4}\.png.*become shorter/);
  const broken: WrittenEntry[] = [
    { name: 'bad.png', content: (await png(3)).subarray(0, 50) },
    { name: 'bad.cls', content: text('cat') },
  ];
  await written(shard, { 'a.tar': [...(await examples(0, 20)), ...broken] });
  expect(await failureOf(openDataset(shard, { ...OPTIONS, preload: true }))).toMatch(/a\.tar\/bad\.png/);
  const left = await openDataset(shard, { ...OPTIONS, preload: true, broken: 'skip' });
  expect(left.train.size + left.validation.size + left.test.size).toBe(20);
  expect(left.notes.join()).toMatch(/skipped: 1 broken picture: a\.tar\/bad\.png/);
  await appendFile(join(shard, 'a.tar'), 'x');
  expect(await failureOf(openDataset(shard, OPTIONS))).toMatch(/more behind its end/);
});
