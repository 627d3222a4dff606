import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset, PairBatch } from '@winnow/core';
import fc from 'fast-check';
import { DataError, type ImageTextOptions, openImageTextDataset } from '../src/index';
import { captionTable } from '../src/pairs/caption-table';
import { numberedTexts } from './pairs/numbered-texts';
import { gradient, temporaryFolders, writeTree } from './pictures/temporary';

const temporary = temporaryFolders();
const TEXTS = Array.from({ length: 12 }, (_, picture) => [`a cat, ${picture}`, `a "dog" ${picture}`]).flat();
const tokenizer = numberedTexts([...TEXTS, 'a cat,\ntwo lines']);
const OPTIONS: ImageTextOptions = { imageSize: 16, tokenizer };

/** Writes files; objects as JSON. */
async function folder(files: Record<string, number | Buffer | string | object>): Promise<string> {
  const root = await temporary('pets');
  const contents = Object.entries(files).map(([path, content]): [string, number | Buffer] => [
    path,
    typeof content === 'number' || Buffer.isBuffer(content)
      ? content
      : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
  ]);
  await writeTree(root, Object.fromEntries(contents));
  return root;
}

async function failure(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof DataError) return error.message;
  throw new Error(`expected a DataError, got ${String(error)}`);
}

/** Reads the texts of each example, and the shift of the generated picture that it shows. */
async function read(dataset: Dataset<PairBatch>): Promise<{ shift: number; texts: string[] }[]> {
  const examples = [];
  for (let index = 0; index < dataset.size; index++) {
    const batch = await dataset.batch([index]);
    const first = Math.round(((batch.images[0] ?? 0) * 0.229 + 0.485) * 255);
    examples.push({ shift: first - (gradient(20, 16)[2 * 3] ?? 0), texts: tokenizer.textsIn(batch) });
  }
  return examples;
}

const pictures = (prefix: string, from: number, to: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: to - from }, (_, at) => [`${prefix}${from + at}.png`, from + at]));
const example = (shift: number) => ({ shift, texts: TEXTS.slice(2 * shift, 2 * shift + 2) });
const examples = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => example(from + at));

describe('COCO', () => {
  const captions = (prefix: string, from: number, to: number) => {
    const ids = Array.from({ length: to - from }, (_, at) => from + at);
    return {
      images: ids.map((id) => ({ id, file_name: `${prefix}${id}.png` })),
      // All first captions, then all second ones: a picture's captions need not stand together.
      annotations: [0, 1].flatMap((which) =>
        ids.map((id) => ({ image_id: id, caption: ` ${TEXTS[2 * id + which] ?? ''}\n` })),
      ),
    };
  };
  const WELL_FORMED = {
    ...pictures('train2014/', 0, 9),
    ...pictures('val2014/COCO_', 9, 12),
    'annotations/captions_train2014.json': captions('', 0, 9),
    'annotations/captions_val2014.json': captions('COCO_', 9, 12),
    'annotations/instances_val2014.json': {},
  };

  test('another year; every picture with its captions, trimmed', async () => {
    const data = await openImageTextDataset(await folder(WELL_FORMED), OPTIONS);
    expect(data.name).toBe('pets');
    expect(await read(data.test)).toEqual(examples(9, 12));
    const kept = [...(await read(data.train)), ...(await read(data.validation))];
    expect(kept.sort((a, b) => a.shift - b.shift)).toEqual(examples(0, 9));
    expect(data.validation.size).toBe(1);
  });

  test('pictures elsewhere', async () => {
    const root = await folder(WELL_FORMED);
    const bare = await folder({
      'annotations/captions_train2014.json': captions('', 0, 9),
      'annotations/captions_val2014.json': captions('COCO_', 9, 12),
    });
    expect(await failure(openImageTextDataset(bare, OPTIONS))).toContain(
      `in the folder ${join(bare, 'train2014')}, but found no such folder`,
    );
    await Promise.all(['train2014', 'val2014'].map((name) => mkdir(join(bare, name))));
    expect(await failure(openImageTextDataset(bare, OPTIONS))).toContain('12 that are not there');
    const data = await openImageTextDataset(bare, { ...OPTIONS, images: root });
    expect(await read(data.test)).toEqual(examples(9, 12));
    const file = join(bare, 'annotations', 'captions_val2014.json');
    const one = await openImageTextDataset(file, { ...OPTIONS, images: join(root, 'val2014') });
    expect([one.name, one.train.size, one.validation.size, one.test.size]).toEqual([
      'captions_val2014',
      1,
      1,
      1,
    ]);
    const beside = await openImageTextDataset(join(root, 'annotations', 'captions_train2014.json'), OPTIONS);
    expect(beside.train.size + beside.validation.size + beside.test.size).toBe(9);
  });

  test('a byte order mark is no part of the file; 7 and "7" are the same id', async () => {
    const { images, annotations } = captions('', 0, 9);
    const mixed = {
      images: images.map(({ id, ...image }) => ({ id: id % 2 === 0 ? id : String(id), ...image })),
      annotations: annotations.map(({ image_id, caption }) => ({ image_id: String(image_id), caption })),
    };
    const root = await folder({
      ...WELL_FORMED,
      'annotations/captions_train2014.json': `\uFEFF${JSON.stringify(mixed)}`,
    });
    const data = await openImageTextDataset(root, OPTIONS);
    const kept = [...(await read(data.train)), ...(await read(data.validation))];
    expect(kept.sort((a, b) => a.shift - b.shift)).toEqual(examples(0, 9));
  });

  test('mistakes are named', async () => {
    const opening = async (files: object) =>
      failure(openImageTextDataset(await folder({ ...WELL_FORMED, ...files }), OPTIONS));
    const train = 'annotations/captions_train2014.json';
    const good = captions('', 0, 9);
    expect(await opening({ 'annotations/captions_train2017.json': good })).toContain(
      'one file captions_train',
    );
    expect(await opening({ [train]: '{"images": [' })).toContain('JSON in');
    expect(await opening({ [train]: { ...good, images: [{ id: 1, file_name: 7 }] } })).toContain(
      'images[0].file_name',
    );
    expect(await opening({ [train]: { images: [], annotations: [] } })).toContain('found none');
    expect(await opening({ [train]: { ...good, annotations: [] } })).toContain('9 pictures without');
    expect(
      await opening({ [train]: { ...good, annotations: [{ image_id: 77, caption: 'a whale' }] } }),
    ).toContain("image 77: 'a whale'");
    expect(
      await opening({ [train]: { ...good, images: [...good.images, { id: '3', file_name: 'again.png' }] } }),
    ).toContain('3: 3.png, again.png');
    expect(await opening({ [train]: '' })).toContain('an empty file');
    expect(await opening({ [train]: { ...good, images: [...good.images, ...good.images] } })).toContain(
      '18 images with 9 ids',
    );
    expect(await failure(openImageTextDataset(await folder({}), OPTIONS))).toContain("COCO's layout");
    const root = await folder(WELL_FORMED);
    expect(await failure(openImageTextDataset(join(root, '..'), OPTIONS))).toContain(`--data ${root}`);
    expect(await failure(openImageTextDataset(await folder({ 'train/cat/1.png': 1 }), OPTIONS))).toContain(
      '--task classification',
    );
  });
});

describe("Karpathy's splits", () => {
  const image = (split: string, id: number, filepath?: string) => ({
    filename: `${id}.png`,
    ...(filepath === undefined ? {} : { filepath }),
    split,
    sentences: [{ raw: ` ${TEXTS[2 * id] ?? ''} ` }, { raw: TEXTS[2 * id + 1] ?? '' }],
    imgid: id,
  });
  const file = {
    dataset: 'pets',
    images: [
      image('test', 0, 'val2014'),
      image('train', 1, 'train2014'),
      image('restval', 2, 'val2014'),
      image('val', 3, 'val2014'),
      image('train', 4),
    ],
  };
  const PICTURES = {
    ...pictures('val2014/', 0, 1),
    ...pictures('train2014/', 1, 2),
    ...pictures('val2014/', 2, 4),
    ...pictures('', 4, 5),
  };

  test('restval is trained on; file paths are joined; pictures lie beside the file or elsewhere', async () => {
    const root = await folder({ ...PICTURES, 'dataset_pets.json': file });
    const data = await openImageTextDataset(join(root, 'dataset_pets.json'), OPTIONS);
    expect(data.name).toBe('dataset_pets');
    expect(await read(data.train)).toEqual([example(1), example(2), example(4)]);
    expect(await read(data.validation)).toEqual([example(3)]);
    expect(await read(data.test)).toEqual([example(0)]);
    const apart = join(await folder({ 'dataset_pets.json': file }), 'dataset_pets.json');
    expect(await read((await openImageTextDataset(apart, { ...OPTIONS, images: root })).test)).toEqual([
      example(0),
    ]);
    const message = await failure(openImageTextDataset(apart, OPTIONS));
    expect(message).toContain('5 that are not there');
    expect(message).toContain(join('train2014', '1.png'));
  });

  test('mistakes are named', async () => {
    const opening = async (content: object) =>
      failure(
        openImageTextDataset(join(await folder({ ...PICTURES, 'a.json': content }), 'a.json'), OPTIONS),
      );
    const [test, ...others] = file.images;
    expect(await opening({ images: [{ ...test, split: 'dev' }, ...others] })).toContain('images[0].split');
    expect(await opening({ images: [{ ...test, sentences: [] }, ...others] })).toContain(
      '1 pictures without',
    );
    expect(await opening({ images: [test] })).toContain('in the split train');
    expect(await opening({ images: [...file.images, { ...test, split: 'train' }] })).toContain(
      '1 that are listed again',
    );
    expect(await opening({ pictures: [] })).toContain('images');
    expect(await opening([])).toContain("captions with Karpathy's splits");
    const wrong = Array.from({ length: 30 }, () => ({ filename: 'x.png' }));
    expect(await opening({ images: wrong })).toContain('and 50 more');
  });
});

describe('a table', () => {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const row = (picture: number, text: string, split?: string) =>
    [`pictures/${picture}.png`, quoted(text), ...(split === undefined ? [] : [split])].join(',');
  const rows = (from: number, to: number, split?: string) =>
    Array.from({ length: to - from }, (_, at) =>
      example(from + at).texts.map((text) => row(from + at, text, split)),
    ).flat();
  const table = async (...lines: string[]) =>
    join(await folder({ ...pictures('pictures/', 0, 10), 'pets.csv': lines.join('\r\n') }), 'pets.csv');

  test('with a column split; quotes, commas and line breaks within captions', async () => {
    const data = await openImageTextDataset(
      await table(
        '\uFEFFimage,Caption,split',
        ...rows(0, 3, 'train'),
        ...rows(3, 4, 'validation'),
        row(4, 'a cat,\ntwo lines', 'test'),
        '',
      ),
      OPTIONS,
    );
    expect(data.name).toBe('pets');
    expect(await read(data.train)).toEqual(examples(0, 3));
    expect(await read(data.validation)).toEqual([example(3)]);
    expect(await read(data.test)).toEqual([{ shift: 4, texts: ['a cat,\ntwo lines'] }]);
  });

  test('without: pictures, not captions, are set aside by the seed', async () => {
    const path = await table(
      'caption,image',
      ...rows(0, 10).map((line) => line.replace(/^(.*?),(.*)$/, '$2,$1')),
    );
    const data = await openImageTextDataset(path, { ...OPTIONS, validationShare: 0.2 });
    expect([data.train.size, data.validation.size, data.test.size]).toEqual([6, 2, 2]);
    const all = (await Promise.all([data.train, data.validation, data.test].map(read))).flat();
    expect(all.sort((a, b) => a.shift - b.shift)).toEqual(examples(0, 10));
  });

  test('any text that is written to a table is read from it', async () => {
    const root = await temporary('table');
    const path = join(root, 'texts.csv');
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.string({ unit: 'binary', minLength: 1 }).map((text) => text.replace(/\p{Surrogate}/gu, '')),
          { minLength: 1, maxLength: 5 },
        ),
        async (texts) => {
          await writeFile(
            path,
            ['image,caption', ...texts.map((text) => `a.png,${quoted(text)}`)].join('\n'),
          );
          const { splits } = await captionTable(path, undefined);
          expect(splits.train).toEqual([
            { pictures: [join(root, 'a.png')], texts: texts.map((text) => text.trim()) },
          ]);
        },
      ),
    );
  });

  test('mistakes are named', async () => {
    const opening = async (...lines: string[]) =>
      failure(openImageTextDataset(await table(...lines), OPTIONS));
    expect(await opening('file,caption', ...rows(0, 3))).toContain('no image among: file, caption');
    expect(await opening('image,caption,split', row(0, 'x', 'train'), row(1, 'y', 'dev'))).toContain(
      'row 2, column split',
    );
    expect(await opening('image,caption', 'a.png,"x" y')).toContain('RFC 4180');
    expect(await opening('image,caption', 'a.png,x,y')).toContain('RFC 4180');
    expect(await opening('image,caption', row(0, '  '), row(1, 'x'))).toContain('1 pictures without');
    expect(await opening('image,caption,split', row(0, 'x', 'train'), row(0, 'y', 'test'))).toContain(
      'in train and test',
    );
    expect(await opening('image,caption')).toContain('in the split train');
    const missing = await opening(
      'image,caption',
      ...Array.from({ length: 15 }, (_, at) => row(at + 10, 'x')),
    );
    expect(missing).toContain('15 that are not there');
    expect(missing).toContain(`${join('pictures', '19.png')}\n- and 5 more`);
  });

  test('a broken picture is found at opening, with preload', async () => {
    const path = await table('image,caption', ...rows(0, 5));
    await writeFile(join(path, '..', 'pictures', '3.png'), 'not a picture');
    expect(await failure(openImageTextDataset(path, { ...OPTIONS, preload: true }))).toContain('3.png');
    await rm(join(path, '..', 'pictures', '3.png'));
    expect(await failure(openImageTextDataset(path, OPTIONS))).toContain('1 that are not there');
  });

  test('options outside their range', async () => {
    const path = await table('image,caption', ...rows(0, 5));
    for (const options of [{ context: 2 }, { context: 7.5 }, { imageSize: 0 }, { validationShare: 0 }]) {
      await expect(openImageTextDataset(path, { ...OPTIONS, ...options })).rejects.toBeInstanceOf(RangeError);
    }
  });
});

test('what is none of these says what there is', async () => {
  expect(await failure(openImageTextDataset('emoji-sounds', OPTIONS))).toContain('emoji-names');
  const root = await folder({ 'notes.txt': 'x' });
  expect(await failure(openImageTextDataset(join(root, 'notes.txt'), OPTIONS))).toContain('a CSV table');
});
