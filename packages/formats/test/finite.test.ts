import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type HostTensor,
  type TensorTree,
  anyModel,
  disposeTree,
  maskFrom,
  masked,
  uploadTree,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import {
  FormatError,
  exportHuggingFace,
  importModel,
  loadModel,
  readSafetensors,
  saveModel,
  writeSafetensors,
} from '../src/index';
import { checkFinite } from '../src/safetensors/finite';
import { one, randomValues, visionTransformers } from './random-model';

const config = { ...one(visionTransformers), distillation: 'none' } as const;

let folder: string;
beforeAll(async () => {
  await startEngine('wasm');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-finite-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** The model's values with this one in a bias. */
function withValue(path: string, value: number): Map<string, HostTensor> {
  const values = randomValues(config, 1);
  const tensor = values.get(path);
  if (tensor === undefined) throw new Error(`there is no ${path}`);
  tensor.values[1] = value;
  return values;
}

describe('weights that are no numbers are found on reading, with their tensor', () => {
  it.each([NaN, Infinity, -Infinity])('in a checkpoint of others: %d', async (value) => {
    const { model, params } = anyModel(config, withValue('blocks.0.ffn.contract.bias', 1));
    await exportHuggingFace(folder, { model, params });
    disposeTree(params);
    const file = join(folder, 'model.safetensors');
    const { tensors } = await readSafetensors(file);
    const name = 'vit.encoder.layer.0.output.dense.bias';
    const bias = tensors.get(name);
    if (bias === undefined) throw new Error(`there is no ${name}`);
    bias.values[1] = value;
    await writeSafetensors(file, tensors, { format: 'pt' });
    const failure = importModel(folder);
    await expect(failure).rejects.toThrow(FormatError);
    await expect(failure).rejects.toThrow(
      `tensor ${name}: expected finite weights, got ${value} at 1 (1 of ${bias.values.length} are not finite)`,
    );
  });

  it('in a model folder, whole or sparse', async () => {
    const { model, params } = anyModel(config, withValue('blocks.0.ffn.contract.bias', NaN));
    await saveModel(folder, { model, params });
    disposeTree(params);
    await expect(loadModel(folder)).rejects.toThrow(FormatError);
    await expect(loadModel(folder)).rejects.toThrow(
      /model\.safetensors: tensor blocks\.0\.ffn\.contract\.bias: expected finite weights, got NaN at 1/,
    );

    const path = 'blocks.0.ffn.expand.weight';
    const values = withValue(path, Infinity);
    const matrix = values.get(path);
    if (matrix === undefined) throw new Error(`there is no ${path}`);
    const kept = matrix.values.map((_, i) => (i < 2 ? 1 : 0));
    const left = Float32Array.from(matrix.values, (value, i) => (i < 2 ? value : 0));
    values.set(path, { dtype: 'float32', shape: matrix.shape, values: left });
    const sparse = uploadTree<TensorTree>(model.specs, values);
    const masks = { [path]: maskFrom(kept, matrix.shape) };
    await saveModel(folder, { model: masked<TensorTree, unknown>(model, masks), params: sparse });
    disposeTree(sparse);
    await expect(loadModel(folder)).rejects.toThrow(
      `tensor ${path}.values: expected finite weights, got Infinity`,
    );
  });
});

test('the greatest numbers that there are, many of them, are finite', () => {
  const greatest = 3.4028234663852886e38;
  expect(() => checkFinite(new Float32Array(1e6).fill(greatest), 'x')).not.toThrow();
  expect(() => checkFinite(Float32Array.of(greatest, -Infinity, Infinity), 'x')).toThrow(
    'x: expected finite weights, got -Infinity at 1 (2 of 3 are not finite)',
  );
});
