import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { openImageTextDataset } from '../src/index';
import { captionTable } from '../src/pairs/caption-table';
import { OPTIONS, example, examples, failure, folders, pictures, read } from './pairs/files';

const folder = folders();

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
    const root = await folder({});
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
    expect(await opening('image;caption', 'a.png;x')).toContain('Separate columns by commas');
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
