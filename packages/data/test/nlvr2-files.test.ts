import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { identifyStatementDataset, namesStatementData, openStatementDataset } from '../src/index';
import { temporaryFolders } from './pictures/temporary';

const temporary = temporaryFolders();

const line = (split: string, pair: number, label: unknown, more: Readonly<Record<string, unknown>> = {}) => ({
  sentence: `there are ${pair} dogs`,
  identifier: `${split}-7-${pair}-0`,
  label,
  left_url: 'http://example.org/left.png',
  ...more,
});
const jsonl = (lines: readonly unknown[]) =>
  lines.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join('\n');

const plain = {
  train: [line('train', 0, 'True', { directory: 3 }), line('train', 1, 'False', { directory: 3 })],
  dev: [line('dev', 0, 'False')],
  test1: [line('test1', 0, 'True'), line('test1', 0, 'False', { identifier: 'test1-7-0-1' })],
};

/** NLVR2's folders: left pictures are white, right ones black. */
async function written(
  contents: Readonly<Partial<Record<string, readonly unknown[]>>> = plain,
  folders: Readonly<Record<string, string>> = { train: 'train/3', dev: 'dev', test1: 'test1' },
): Promise<string> {
  const folder = await temporary('statements');
  for (const [split, below] of Object.entries(folders)) {
    await mkdir(join(folder, 'images', below), { recursive: true });
    for (const pair of split === 'train' ? [0, 1] : [0])
      for (const which of [0, 1])
        await sharp({
          create: { width: 4, height: 4, channels: 3, background: which === 0 ? '#ffffff' : '#000000' },
        })
          .png()
          .toFile(join(folder, 'images', below, `${split}-7-${pair}-img${which}.png`));
  }
  for (const [split, lines] of Object.entries(contents))
    if (lines !== undefined) await writeFile(join(folder, `${split}.json`), `${jsonl(lines)}\n`);
  return join(folder, 'train.json');
}
const images = (spec: string) => join(dirname(spec), 'images');

test.each([
  ['in folders of the splits', { train: 'train/3', dev: 'dev', test1: 'test1' }],
  ['all in one folder', { train: '.', dev: '.', test1: '.' }],
])('statements about two pictures, %s, are read', async (_, folders) => {
  const spec = await written(plain, folders);
  expect(await namesStatementData(spec)).toBe(true);
  const data = await openStatementDataset(spec, { imageSize: 2, images: images(spec) });
  expect([data.train.size, data.validation.size, data.test.size]).toEqual([2, 1, 2]);
  expect(data.notes).toEqual(['the test is test1.json: 50.0 % of its statements are true']);
  const batch = await data.train.batch([1, 0]);
  expect([...batch.labels]).toEqual([0, 1]);
  const brightness = [0, 1, 2, 3].map((place) => (batch.images[place * 2 * 2 * 3] ?? 0) > 0);
  expect(brightness).toEqual([true, false, true, false]);
});

test('the identity changes with a label, and not with the place', async () => {
  const [first, second] = [await written(), await written()];
  const turned = await written({ ...plain, dev: [line('dev', 0, 'True')] });
  const of = (spec: string) => identifyStatementDataset(spec, { images: images(spec) });
  expect(await of(first)).toEqual(await of(second));
  expect(await of(first)).not.toEqual(await of(turned));
});

test.each([
  [
    'a line without a label',
    { ...plain, dev: [{ ...line('dev', 0, 'True'), label: undefined }] },
    /line 1: label/,
  ],
  [
    'a label that is neither',
    { ...plain, dev: [line('dev', 0, 'perhaps')] },
    /line 1: label: expected True or False/,
  ],
  ['no sentence', { ...plain, dev: [line('dev', 0, true, { sentence: ' ' })] }, /sentence: expected words/],
  [
    'an identifier that leads elsewhere',
    { ...plain, dev: [line('dev', 0, true, { identifier: '../../dev-7-0-0' })] },
    /identifier: expected an identifier like train-10171-0-0/,
  ],
  [
    'a folder that leads elsewhere',
    { ...plain, train: [line('train', 0, true, { directory: '..' })] },
    /line 1: directory: expected the name of a folder/,
  ],
  [
    'a statement that is true and false',
    { ...plain, dev: [line('dev', 0, true), line('dev', 0, false)] },
    /an identifier of their own in .*dev-7-0-0/s,
  ],
  ['no JSON', { ...plain, dev: [line('dev', 0, true), '{"sentence'] }, /line 2: /],
  ['an empty file', { ...plain, dev: [] }, /no line/],
  ['no test', { train: plain.train, dev: plain.dev }, /no test/],
  ['a picture that is not there', { ...plain, dev: [line('dev', 5, true)] }, /dev-7-5-img0\.png/],
])('%s is refused by name', async (_, contents, message) => {
  const spec = await written(contents);
  await expect(openStatementDataset(spec, { imageSize: 2, images: images(spec) })).rejects.toThrow(message);
});
