import { type Dataset, type TensorTree, disposeTree, modelOf, uploadTree } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { saveModel } from '@winnow/formats';
import { modelParts } from '@winnow/onnx';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openModel } from '../src/index';
import { examplesOfData } from '../src/proof/data-examples';
import { cutTaskModels, randomParameters } from './cut-models';

const root = mkdtempSync(join(tmpdir(), 'winnow-examples-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

test('regions of two pictures are padded picture by picture, to as many as the file takes', async () => {
  await startEngine('wasm');
  const config = cutTaskModels['an LXMERT for statements'];
  if (config === undefined) throw new Error('expected an LXMERT');
  const model = modelOf(config);
  const params = uploadTree<TensorTree>(model.specs, randomParameters(config));
  await saveModel(root, { model, params });
  disposeTree(params);
  const opened = await openModel(root);
  // Two examples of two pictures with up to two regions each: picture p has features p.
  const four = (each: number, valueOf: (picture: number) => number) =>
    Float32Array.from({ length: 4 * 2 * each }, (_, at) => valueOf(Math.floor(at / (2 * each))));
  const regions = {
    count: 2,
    features: four(5, (picture) => picture + 1),
    boxes: four(4, () => 0.5),
    real: Float32Array.of(1, 1, 1, 0, 1, 0, 1, 1),
  };
  const tokens = Int32Array.of(1, 2, 9, 3, 4, 9);
  const split: Dataset<unknown> = {
    size: 2,
    batch: () => Promise.resolve({ size: 2, regions, texts: 2, tokens, labels: Int32Array.of(0, 1) }),
  };
  const { examples, labels } = await examplesOfData(split, [0, 1], opened, modelParts(opened.model));
  const { visual_feats: shown, visual_mask: there } = examples.get('model')?.inputs ?? {};
  expect(labels).toEqual([0, 1]);
  expect([there?.shape, Array.from(there?.values ?? [], Number)]).toEqual([
    [2, 3],
    [...[1, 1, 0], ...[1, 0, 0], ...[1, 0, 0], ...[1, 1, 0]],
  ]);
  expect(shown?.shape).toEqual([2, 3, 5]);
  const ofRegion = (picture: number) =>
    [picture, picture, 0].flatMap((value) => Array<number>(5).fill(value));
  expect(Array.from(shown?.values ?? [], Number)).toEqual([1, 2, 3, 4].flatMap(ofRegion));
  disposeTree(opened.params);
});
