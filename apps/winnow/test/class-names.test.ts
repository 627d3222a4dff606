import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSafetensors, writeSafetensors } from '@winnow/formats';
import { z } from 'zod';
import { makePictures } from '@winnow/testkit';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-class-names-'));
const at = (...path: string[]) => join(root, ...path);
const ENGINE = ['--engine', 'wasm'];
const TINY = [...ENGINE, '--batch-size', '4'];
const FAST = ['--method', 'magnitude', '--search', '0it', '--retrain', '0it', '--budget', '1.2x'];

const jsonOf = (...path: string[]) =>
  z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(at(...path), 'utf8')));
const change = (file: string, changes: object): void => {
  writeFileSync(at(file), JSON.stringify({ ...jsonOf(file), ...changes }));
};
const scored = z.looseObject({ scores: z.record(z.string(), z.number()) });
async function evaluated(model: string, data: string, ...more: string[]) {
  const outcome = await winnow(['evaluate', at(model), '--data', at(data), ...ENGINE, '--json', ...more]);
  expect(outcome).toMatchObject({ code: 0 });
  return { scores: scored.parse(JSON.parse(outcome.stdout)).scores, stderr: outcome.stderr };
}

/** A checkpoint for transformers whose classifier has its two rows in the other order, with the names as given. */
async function swapped(folder: string, id2label: Readonly<Record<number, string>>): Promise<void> {
  await cp(at('exported'), at(folder), { recursive: true });
  const { tensors } = await readSafetensors(at('exported', 'model.safetensors'));
  const other = new Map(tensors);
  for (const name of ['classifier.weight', 'classifier.bias']) {
    const tensor = tensors.get(name);
    if (tensor?.dtype !== 'float32') throw new Error(`there is no ${name}`);
    const row = tensor.values.length / 2;
    const values = Float32Array.from(
      tensor.values,
      (_, index) => tensor.values[(index + row) % (2 * row)] ?? 0,
    );
    other.set(name, { ...tensor, values });
  }
  await writeSafetensors(at(folder, 'model.safetensors'), other, { format: 'pt' });
  const label2id = Object.fromEntries(Object.entries(id2label).map(([label, name]) => [name, Number(label)]));
  change(join(folder, 'config.json'), { id2label, label2id });
}

beforeAll(async () => {
  await makePictures(at('colours'));
  await cp(at('colours'), at('renamed'), { recursive: true });
  for (const split of ['train', 'validation', 'test'])
    renameSync(at('renamed', split, 'blue'), at('renamed', split, 'zebra'));
  const shape = ['--image-size', '16', '--patch-size', '8', '--duration', '6it', '--evaluate-every', '0it'];
  const trained = await winnow(['train', '--data', at('colours'), ...TINY, ...shape, '--out', at('dense')]);
  expect(trained).toMatchObject({ code: 0 });
  expect((await winnow(['export', at('dense'), '--out', at('exported')])).code).toBe(0);
  await swapped('permuted', { 0: 'red', 1: 'blue' });
  await swapped('placeholders', { 0: 'LABEL_0', 1: 'LABEL_1' });
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('a saved model knows its classes, and so does what is exported and imported again', async () => {
  expect(jsonOf('dense', 'model', 'structure.json')).toMatchObject({ classNames: ['blue', 'red'] });
  expect(jsonOf('exported', 'config.json')).toMatchObject({
    id2label: { 0: 'blue', 1: 'red' },
    label2id: { blue: 0, red: 1 },
  });
  expect((await winnow(['import', at('permuted'), '--out', at('imported')])).code).toBe(0);
  expect(jsonOf('imported', 'structure.json')).toMatchObject({ classNames: ['red', 'blue'] });
  expect((await winnow(['export', at('imported'), '--format', 'winnow', '--out', at('ours')])).code).toBe(0);
  expect(jsonOf('ours', 'structure.json')).toMatchObject({ classNames: ['red', 'blue'] });
});

test('classes are found by their names, whatever their order', async () => {
  const { scores, stderr } = await evaluated('dense', 'colours');
  const permuted = await evaluated('permuted', 'colours');
  expect(permuted.scores).toEqual(scores);
  expect(Object.keys(scores)).toEqual(['loss', 'top1']); // the best five of two say nothing
  for (const said of [stderr, permuted.stderr]) expect(said).not.toMatch(/in this order/);
});

test('a compression scores the model it is given by the names of its classes, and keeps their order', async () => {
  const { scores } = await evaluated('dense', 'colours');
  const args = ['compress', '--from', at('permuted'), '--data', at('colours'), ...TINY, ...FAST];
  expect(await winnow([...args, '--out', at('small')])).toMatchObject({ code: 0 });
  expect(jsonOf('small', 'summary.json')).toMatchObject({ dense: { scores } });
  expect(jsonOf('small', 'model', 'structure.json')).toMatchObject({ classNames: ['red', 'blue'] });
});

test('a training that keeps the head keeps the order of its classes, and says what becomes of it', async () => {
  const { scores } = await evaluated('dense', 'colours');
  const args = ['train', '--from', at('permuted'), '--data', at('colours'), ...TINY, '--duration', '0it'];
  const kept = await winnow([...args, '--out', at('kept')]);
  expect(kept).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(
      /permuted: its head goes on, for the 2 classes of colours; nothing is frozen/,
    ),
  });
  expect(jsonOf('kept', 'summary.json')).toMatchObject({ model: { scores } });
  expect(jsonOf('kept', 'model', 'structure.json')).toMatchObject({ classNames: ['red', 'blue'] });
  const drawn = await winnow([...args, '--head', 'new', '--out', at('drawn')]);
  expect(drawn.stderr).toMatch(/a new head is drawn for the 2 classes of colours; nothing is frozen/);
  expect(jsonOf('drawn', 'model', 'structure.json')).toMatchObject({ classNames: ['blue', 'red'] });
});

describe('other classes of the same number', () => {
  const differ =
    /classes of the model are not those of renamed: the model also has blue; the data also has zebra/;
  test.each<[string, string[]]>([
    ['evaluate', ['evaluate', at('dense'), '--data', at('renamed'), ...ENGINE]],
    [
      'compress',
      ['compress', '--from', at('dense'), '--data', at('renamed'), ...TINY, '--out', at('refused')],
    ],
    ['train', ['train', '--from', at('dense'), '--data', at('renamed'), ...TINY, '--out', at('refused')]],
  ])('are refused by %s', async (_command, args) => {
    const { code, stderr } = await winnow(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(differ);
    expect(stderr).toMatch(/--head new/);
  });

  test('are taken for them where that is asked for, in so many words', async () => {
    const { scores } = await evaluated('dense', 'colours');
    // red comes first in one, second in the other: the same pictures are called otherwise.
    const assumed = await evaluated('dense', 'renamed', '--class-order', 'assumed');
    expect(assumed.stderr).toMatch(
      /calls its classes otherwise \(blue, red\).*renamed, in this order: red, zebra/,
    );
    expect(assumed.scores).not.toEqual(scores);
  });

  test('do not matter to a head that is drawn anew', async () => {
    const args = ['train', '--from', at('dense'), '--data', at('renamed'), '--head', 'new', ...TINY];
    expect(await winnow([...args, '--duration', '0it', '--out', at('anew')])).toMatchObject({ code: 0 });
    expect(jsonOf('anew', 'model', 'structure.json')).toMatchObject({ classNames: ['red', 'zebra'] });
  });
});

describe('where no names are known, a line says that the order of the data is assumed', () => {
  const line = /in this order: blue, red/;
  test('in a checkpoint with placeholders', async () => {
    const { scores, stderr } = await evaluated('placeholders', 'colours');
    expect(stderr).toMatch(/calls its classes LABEL_0, LABEL_1: they are taken to be those of colours/);
    expect(stderr).toMatch(line);
    expect(scores).not.toEqual((await evaluated('dense', 'colours')).scores);
  });

  test('in a model folder of before', async () => {
    await cp(at('dense', 'model'), at('old'), { recursive: true });
    change('old/structure.json', { classNames: undefined });
    const { scores, stderr } = await evaluated('old', 'colours');
    expect(stderr).toMatch(/does not name its classes: they are taken to be those of colours/);
    expect(stderr).toMatch(line);
    expect(scores).toEqual((await evaluated('dense', 'colours')).scores);
  });
});

test('names are the same in either of the normal forms', async () => {
  await cp(at('colours'), at('accents'), { recursive: true });
  for (const split of ['train', 'validation', 'test'])
    renameSync(at('accents', split, 'blue'), at('accents', split, 'bl\u00e9u'));
  await swapped('decomposed', { 0: 'red', 1: 'ble\u0301u' });
  expect((await evaluated('decomposed', 'accents')).scores).toEqual(
    (await evaluated('dense', 'colours')).scores,
  );
});

test('which class order is asked for matters only to a head that goes on', async () => {
  const args = [
    'train',
    '--data',
    at('colours'),
    ...TINY,
    '--class-order',
    'assumed',
    '--out',
    at('refused'),
  ];
  expect(await winnow(args)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--class-order is about a model that there is/),
  });
});
