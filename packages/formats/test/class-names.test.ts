import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AnyModel, type TensorTree, anyModel, disposeTree } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { z } from 'zod';
import {
  FormatError,
  arePlaceholders,
  checkpointKind,
  exportHuggingFace,
  importModel,
  loadModel,
  modelFolderKind,
  saveModel,
} from '../src/index';
import { classNamesIn } from '../src/layouts/class-names';
import { timmClassNames } from '../src/layouts/timm/class-names';
import { clipTexts, one, randomValues, visionTransformers } from './random-model';

const NAMES = ['tabby, tabby cat', 'Würger', '0'];
const config = { ...one(visionTransformers), classes: NAMES.length };
let model: AnyModel;

let folder: string;
beforeAll(async () => {
  await startEngine('wasm');
  model = anyModel(config, randomValues(config, 1));
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-'));
});
afterEach(() => rm(folder, { recursive: true }));
afterAll(() => {
  disposeTree(model.params);
});

const jsonIn = async (name: string) =>
  z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(join(folder, name), 'utf8')));
const changeJson = async (name: string, changes: object): Promise<void> =>
  writeFile(join(folder, name), JSON.stringify({ ...(await jsonIn(name)), ...changes }));

/** The names that are read with a model, which is forgotten. */
async function namesOf(
  reading: Promise<{ readonly params: TensorTree; readonly classNames: readonly string[] | undefined }>,
) {
  const { params, classNames } = await reading;
  disposeTree(params);
  return classNames;
}

describe('a model folder', () => {
  it('keeps the names of the classes, and knows none where none were given', async () => {
    await saveModel(folder, { ...model, classNames: NAMES });
    expect(await namesOf(loadModel(folder))).toEqual(NAMES);
    await saveModel(folder, model);
    expect(await namesOf(loadModel(folder))).toBeUndefined();
    expect(await modelFolderKind(folder)).toBe('vision-transformer');
  });

  it('of before there was a field for them has them in its origin', async () => {
    await saveModel(folder, { ...model, origin: { data: 'animals', classes: NAMES } });
    expect(await namesOf(loadModel(folder))).toEqual(NAMES);
    await saveModel(folder, { ...model, origin: { classes: ['one'] } });
    expect(await namesOf(loadModel(folder))).toBeUndefined();
  });

  it('takes one name for each class, and none for a model without classes', async () => {
    await expect(saveModel(folder, { ...model, classNames: ['one'] })).rejects.toThrow(
      'expected the names of 3 classes, got 1',
    );
    const text = one(clipTexts);
    const tower = anyModel(text, randomValues(text, 1));
    await expect(saveModel(folder, { ...tower, classNames: NAMES })).rejects.toThrow(RangeError);
    disposeTree(tower.params);
    await saveModel(folder, model);
    await changeJson('structure.json', { classNames: [...NAMES, 'more'] });
    await expect(loadModel(folder)).rejects.toThrow(FormatError);
    await expect(loadModel(folder)).rejects.toThrow('structure.json: expected the names of 3 classes, got 4');
  });
});

describe('a checkpoint for Hugging Face', () => {
  it('says the names as transformers does, and they are read back in the order of the classifier', async () => {
    await exportHuggingFace(folder, { ...model, classNames: NAMES });
    expect(await jsonIn('config.json')).toMatchObject({
      id2label: { 0: NAMES[0], 1: NAMES[1], 2: NAMES[2] },
      label2id: { [NAMES[0] ?? '']: 0, [NAMES[1] ?? '']: 1, 0: 2 },
    });
    expect(await namesOf(importModel(folder))).toEqual(NAMES);
    expect(await checkpointKind(folder)).toBe('vision-transformer');
  });

  it('has placeholders where there are no names, which say so of themselves', async () => {
    await exportHuggingFace(folder, model);
    const names = await namesOf(importModel(folder));
    expect(names).toEqual(['LABEL_0', 'LABEL_1', 'LABEL_2']);
    expect([arePlaceholders(names ?? []), arePlaceholders(NAMES)]).toEqual([true, false]);
  });

  it.each<[string, unknown, readonly string[] | undefined]>([
    ['no names', undefined, undefined],
    ['null', null, undefined],
    ['the default of two', { 0: 'LABEL_0', 1: 'LABEL_1' }, undefined],
    ['numbers', { 2: 7, 0: 5, 1: 6 }, ['5', '6', '7']],
  ])('with %s is opened', async (_what, id2label, expected) => {
    await exportHuggingFace(folder, model);
    await changeJson('config.json', { id2label });
    expect(await namesOf(importModel(folder))).toEqual(expected);
  });

  it.each<[string, unknown]>([
    ['another number of them', { 0: 'cat', 1: 'dog' }],
    ['a gap', { 0: 'cat', 1: 'dog', 3: 'bird' }],
    ['a name that is no text', { 0: 'cat', 1: 'dog', 2: ['bird'] }],
    ['keys that are no numbers', { cat: '0', dog: '1', bird: '2' }],
  ])('with %s is refused', async (_what, id2label) => {
    await exportHuggingFace(folder, model);
    await changeJson('config.json', { id2label });
    await expect(importModel(folder)).rejects.toThrow(/config\.json: [\s\S]*id2label/);
  });

  it('whose label2id has another order than its id2label is refused; one that knows other names is not', async () => {
    await exportHuggingFace(folder, { ...model, classNames: NAMES });
    const [first = '', second = ''] = NAMES;
    await changeJson('config.json', { label2id: { [first]: 1, [second]: 0 } });
    await expect(importModel(folder)).rejects.toThrow(
      /at label2id: expected the number that "tabby, tabby cat" has in id2label, got 1, which is "Würger" there/,
    );
    await changeJson('config.json', { label2id: { LABEL_0: 0, LABEL_1: 1, [second]: 1 } });
    expect(await namesOf(importModel(folder))).toEqual(NAMES);
  });

  it('gives its names away with its head', async () => {
    await exportHuggingFace(folder, { ...model, classNames: NAMES });
    expect(await namesOf(importModel(folder, { newHead: { classes: 3, seed: 1 } }))).toBeUndefined();
  });
});

test('timm lists names, or numbers them', () => {
  const read = (json: object, classes: number) =>
    classNamesIn({ file: 'config.json', json }, classes, timmClassNames);
  expect(read({ label_names: NAMES }, 3)).toEqual(NAMES);
  expect(read({ label_names: { 1: 'b', 0: 'a' } }, 2)).toEqual(['a', 'b']);
  expect(read({ labels: ['a', 'b'] }, 2)).toEqual(['a', 'b']);
  expect(read({ num_classes: 2 }, 2)).toBeUndefined();
  expect(() => read({ label_names: NAMES }, 2)).toThrow(/the 2 classes .* got 3/);
});
