import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type VisionTransformerParams, disposeTree, initialize } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { FormatError, loadModel, readSafetensors, saveModel, writeSafetensors } from '../src/index';
import { smallVisionTransformer as model } from './small-vision-transformer';

let folder: string;
let params: VisionTransformerParams;
beforeAll(async () => {
  await startEngine('wasm');
});
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'winnow-')), 'model');
  params = initialize(model.specs, 1);
  await saveModel(folder, { model, params });
});
afterEach(async () => {
  disposeTree(params);
  await rm(join(folder, '..'), { recursive: true });
});

/** Writes `structure.json` again with these fields changed. */
async function change(fields: object): Promise<void> {
  const file = join(folder, 'structure.json');
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), ...fields }));
}

describe('a model folder that is damaged', () => {
  it('is refused without its structure file or its weights', async () => {
    await rm(join(folder, 'model.safetensors'));
    await expect(loadModel(folder)).rejects.toThrow(/model\.safetensors: expected .* got no such file/);
    await rm(join(folder, 'structure.json'));
    await expect(loadModel(folder)).rejects.toThrow(/structure\.json: there is no such file/);
  });

  it('is refused with one bit of the weights flipped', async () => {
    const file = join(folder, 'model.safetensors');
    const bytes = await readFile(file);
    bytes[bytes.byteLength - 1] = (bytes[bytes.byteLength - 1] ?? 0) ^ 1;
    await writeFile(file, bytes);
    await expect(loadModel(folder)).rejects.toThrow(/SHA-256/);
  });

  it.each([
    [{ version: 2 }, /at version: expected version 1; a newer Winnow/],
    [{ model: { kind: 'convnet' } }, /at model\.kind/],
    [
      { model: { ...model.config, imageSize: 9 } },
      /at model\.imageSize: expected a multiple of the patch size/,
    ],
    [{ model: { ...model.config, tower: { ...model.config.tower, heads: -1 } } }, /at model\.tower\.heads/],
    [{ decision: { version: 1, sites: { a: { kind: 'shred' } } } }, /at decision\.sites\.a\.kind/],
    [{ more: 1 }, /more/],
    [{ weights: { sha256: 'x', bytes: 1 } }, /at weights\.sha256/],
  ])('says where the structure file is wrong: %j', async (fields, message) => {
    await change(fields);
    await expect(loadModel(folder)).rejects.toThrow(FormatError);
    await expect(loadModel(folder)).rejects.toThrow(message);
    await expect(loadModel(folder)).rejects.toThrow(/structure\.json/);
  });

  it('is refused when the structure file is no JSON', async () => {
    await writeFile(join(folder, 'structure.json'), '{"version":');
    await expect(loadModel(folder)).rejects.toThrow(/structure\.json: expected JSON/);
  });

  it('lists tensors that are missing, extra, misshapen or of another type', async () => {
    const file = join(folder, 'model.safetensors');
    const { tensors } = await readSafetensors(file);
    tensors.delete('norm.bias');
    tensors.set('more', { dtype: 'float32', shape: [1], values: Float32Array.of(1) });
    tensors.set('head.bias', { dtype: 'float32', shape: [1], values: Float32Array.of(1) });
    tensors.set('norm.weight', { dtype: 'int32', shape: [12], values: new Int32Array(12) });
    await writeSafetensors(file, tensors);
    const bytes = await readFile(file);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await change({ weights: { sha256, bytes: bytes.byteLength } });
    const failure = loadModel(folder);
    await expect(failure).rejects.toThrow(/missing norm\.bias \[12\]/);
    await expect(failure).rejects.toThrow(/extra more \[1\]/);
    await expect(failure).rejects.toThrow(/head\.bias: expected \[3\], got \[1\]/);
    await expect(failure).rejects.toThrow(/norm\.weight: expected float32, got int32/);
  });
});
