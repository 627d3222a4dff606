import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Tensor2D, type Tensor4D, tensor, tidy, transpose } from '@tensorflow/tfjs-core';
import { type HostTensor, disposeTree, viltFamily } from '@winnow/core';
import { exportHuggingFace, importModel, readSafetensors } from '../src/index';
import { onEveryEngine } from './engines';

/** Models that `reference/make-vilt.py` made, with what transformers computes. */
const folderOf = (name: string): string => fileURLToPath(new URL(`./reference/${name}`, import.meta.url));
const upload = ({ values, shape, dtype }: HostTensor) => tensor(values, [...shape], dtype);

async function tensorsIn(name: string, file: string): Promise<(key: string) => HostTensor> {
  const { tensors } = await readSafetensors(join(folderOf(name), `${file}.safetensors`));
  return (key) => {
    const found = tensors.get(key);
    if (found === undefined) throw new Error(`expected ${key}`);
    return found;
  };
}

async function imported(folder: string) {
  const found = await importModel(folder);
  if (!viltFamily.holds(found)) throw new Error(`expected a ViLT, got a ${found.kind}`);
  return found;
}

onEveryEngine('ViLTs as transformers computes them', () => {
  it.each(['vilt-answers', 'vilt-statements'])('%s: the same logits', async (name) => {
    const { model, params, classNames } = await imported(folderOf(name));
    const [inputs, expected] = [await tensorsIn(name, 'inputs'), await tensorsIn(name, 'expected')];
    expect(classNames).toEqual(name === 'vilt-answers' ? ['yes', 'no', 'red', 'two', 'cat'] : undefined);
    tidy(() => {
      const images = transpose<Tensor4D>(upload(inputs('pixel_values')) as Tensor4D, [0, 2, 3, 1]);
      const { logits } = model.forward(params, { images, tokens: upload(inputs('input_ids')) as Tensor2D });
      const { values, shape } = expected('logits');
      expect(logits?.shape).toEqual(shape);
      logits?.dataSync().forEach((value, index) => {
        expect(Math.abs(value - (values[index] ?? Number.NaN))).toBeLessThan(1e-4);
      });
    });
    disposeTree(params);
  });
});

it.each(['vilt-answers', 'vilt-statements'])('%s is written as it was read', async (name) => {
  const folder = await mkdtemp(join(tmpdir(), 'winnow-vilt-'));
  try {
    const { model, params, classNames } = await imported(folderOf(name));
    await exportHuggingFace(folder, { model, params, classNames });
    const [before, after] = [folderOf(name), folder].map((at) =>
      readSafetensors(join(at, 'model.safetensors')),
    );
    const [theirs, ours] = [await before, await after];
    expect([...(ours?.tensors.keys() ?? [])].sort()).toEqual([...(theirs?.tensors.keys() ?? [])].sort());
    for (const [key, tensor] of theirs?.tensors ?? []) expect(ours?.tensors.get(key)).toEqual(tensor);
    const again = await imported(folder);
    expect(again.model.config).toEqual(model.config);
    disposeTree(params);
    disposeTree(again.params);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('a ViLT without a classifier, or of another kind of patches, is refused by name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'winnow-vilt-'));
  try {
    await copyFile(join(folderOf('vilt-answers'), 'model.safetensors'), join(folder, 'model.safetensors'));
    const config: object = JSON.parse(await readFile(join(folderOf('vilt-answers'), 'config.json'), 'utf8'));
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, max_image_length: 200 }));
    await expect(importModel(folder)).rejects.toThrow(/max_image_length.*all patches are looked at/s);
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, sep_token_id: null }));
    await expect(importModel(folder)).rejects.toThrow(/a vocabulary with sep_token_id/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
