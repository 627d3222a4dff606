import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Tensor2D, type Tensor3D, tensor, tidy } from '@tensorflow/tfjs-core';
import { type HostTensor, disposeTree, lxmertFamily } from '@winnow/core';
import { importModel, readSafetensors } from '../src/index';
import { onEveryEngine } from './engines';

/** The model that `reference/make-lxmert.py` made, with what transformers computes. */
const folder = fileURLToPath(new URL('./reference/lxmert', import.meta.url));
const upload = ({ values, shape, dtype }: HostTensor) => tensor(values, [...shape], dtype);

async function tensorsIn(file: string): Promise<(key: string) => HostTensor> {
  const { tensors } = await readSafetensors(join(folder, `${file}.safetensors`));
  return (key) => {
    const found = tensors.get(key);
    if (found === undefined) throw new Error(`expected ${key}`);
    return found;
  };
}

onEveryEngine('an LXMERT as transformers computes it', () => {
  it('has the same logits, of texts and regions with padding', async () => {
    const found = await importModel(folder);
    if (!lxmertFamily.holds(found)) throw new Error(`expected an LXMERT, got a ${found.kind}`);
    const { model, params } = found;
    const [inputs, expected] = [await tensorsIn('inputs'), await tensorsIn('expected')];
    tidy(() => {
      const { logits } = model.forward(params, {
        tokens: upload(inputs('input_ids')) as Tensor2D,
        features: upload(inputs('features')) as Tensor3D,
        places: upload(inputs('places')) as Tensor3D,
        counts: upload(inputs('seen')) as Tensor2D,
      });
      const { values, shape } = expected('logits');
      expect(logits.shape).toEqual(shape);
      logits.dataSync().forEach((value, index) => {
        expect(Math.abs(value - (values[index] ?? Number.NaN))).toBeLessThan(1e-4);
      });
    });
    disposeTree(params);
  });
});

it('layers that a configuration miscounts are refused by name', async () => {
  const other = await mkdtemp(join(tmpdir(), 'winnow-lxmert-'));
  try {
    await copyFile(join(folder, 'model.safetensors'), join(other, 'model.safetensors'));
    const config: object = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
    await writeFile(join(other, 'config.json'), JSON.stringify({ ...config, x_layers: 3 }));
    await expect(importModel(other)).rejects.toThrow(
      /3 layers \(lxmert\.encoder\.x_layers\.…\), as x_layers in/,
    );
  } finally {
    await rm(other, { recursive: true });
  }
});
