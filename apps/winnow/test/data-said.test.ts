import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePictures } from '@winnow/testkit';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-said-'));
const at = (...path: string[]) => join(root, ...path);

beforeAll(async () => {
  await makePictures(at('pictures'));
  await mkdir(at('pictures', 'train', 'red', 'more'));
  await rename(at('pictures', 'train', 'red', '3.png'), at('pictures', 'train', 'red', 'more', '3.png'));
  await writeFile(at('pictures', 'train', 'blue', 'notes.txt'), 'blue ones');
  await rename(at('pictures', 'validation'), at('pictures', 'val'));
  await rm(at('pictures', 'test'), { recursive: true });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const found =
  'pictures: pictures of 2 classes, 21 for training, 2 for validation, 8 for the test\n' +
  'pictures: no test folder: val is the test; set aside for validation: 2 pictures of train\n' +
  'pictures: passed over: 1 file of no kind of picture: train/blue/notes.txt; ' +
  '1 file in folders below the class folders: train/red/more\n';
// The pictures of the splits are drawn alike.
const twins =
  /pictures: duplicates across splits: \d pictures of test are also in train, byte for byte: blue\/\d\.png = blue/;

test('a training says which pictures it found, and an evaluation too, beside its result', async () => {
  const training = await winnow([
    ...['train', '--engine', 'wasm', '--data', at('pictures'), '--image-size', '16', '--batch-size', '4'],
    ...['--duration', '2it', '--evaluate-every', '0it', '--out', at('run')],
  ]);
  expect([training.code, training.stderr]).toEqual([0, expect.stringContaining(found)]);
  expect(training.stderr).toMatch(twins);
  const evaluation = await winnow(['evaluate', at('run'), '--engine', 'wasm', '--json']);
  expect([evaluation.code, evaluation.stderr]).toEqual([0, expect.stringContaining(found)]);
  expect(evaluation.stderr).not.toMatch(/duplicates/);
  expect(JSON.parse(evaluation.stdout)).toMatchObject({ data: 'pictures', examples: 8 });
});

test('a compression says it before it says what it will do', async () => {
  const { code, stderr } = await winnow([
    ...['compress', '--engine', 'wasm', '--from', at('run'), '--method', 'magnitude', '--budget', '2x'],
    ...['--batch-size', '4', '--retrain', '0it', '--out', at('compressed')],
  ]);
  expect([code, stderr]).toEqual([0, expect.stringContaining(found)]);
  expect(stderr).toMatch(twins);
  expect(stderr).toMatch(/\npictures: duplicates.*\nMagnitude/);
});

test('a table of labels is data of its run, with the folder of its pictures', async () => {
  const rows = ['red', 'blue'].flatMap((name) =>
    [0, 1, 2, 4, 5, 6, 7].map((at) => `${name}/${at}.png,${name}`),
  );
  await writeFile(at('colours.csv'), ['image,label', ...rows].join('\n'));
  const training = await winnow([
    ...['train', '--engine', 'wasm', '--data', at('colours.csv'), '--images', at('pictures', 'train')],
    ...[
      '--image-size',
      '16',
      '--batch-size',
      '4',
      '--duration',
      '2it',
      '--evaluate-every',
      '0it',
      '--out',
      at('table'),
    ],
  ]);
  const divided =
    'colours: pictures of 2 classes, 10 for training, 2 for validation, 2 for the test\n' +
    'colours: no column split: every class is divided 70/15/15 % into training, validation and test (10, 2, 2 pictures)';
  expect([training.code, training.stderr]).toEqual([0, expect.stringContaining(divided)]);
  const evaluation = await winnow(['evaluate', at('table'), '--engine', 'wasm']);
  expect([evaluation.code, evaluation.stderr]).toEqual([0, expect.stringContaining(divided)]);
  const elsewhere = await winnow(['evaluate', at('table'), '--engine', 'wasm', '--data', at('colours.csv')]);
  expect([elsewhere.code, elsewhere.stderr]).toEqual([2, expect.stringContaining('14 that are not there')]);
});
