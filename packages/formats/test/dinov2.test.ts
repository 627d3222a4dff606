import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Tensor4D, reshape, tensor, tidy, transpose } from '@tensorflow/tfjs-core';
import { type HostTensor, disposeTree, visionTransformerFamily } from '@winnow/core';
import { importModel, readSafetensors } from '../src/index';
import { onEveryEngine } from './engines';

const shared = (path: string) => fileURLToPath(new URL(`../../../../shared/${path}`, import.meta.url));
const MODEL = shared('models/dinov2-small');
const EXPECTED = shared('fixtures/dinov2-small/expected.safetensors');
const isHere = existsSync(MODEL) && existsSync(EXPECTED);

const upload = ({ values, shape }: HostTensor): Tensor4D =>
  reshape(tensor(values), [shape[0] ?? 0, shape[1] ?? 0, shape[2] ?? 0, shape[3] ?? 0]);

// Hidden states that transformers computed, at sizes that the positions are resampled to.
(isHere ? onEveryEngine : describe.skip)('DINOv2-small as published', () => {
  it.each([224, 112])('has the last hidden states of transformers at %i px', async (imageSize) => {
    const { tensors } = await readSafetensors(EXPECTED);
    const named = (name: string) => {
      const found = tensors.get(`${name}_${imageSize}`);
      if (found?.dtype === 'float32') return found;
      throw new Error(`the fixture has no ${name}`);
    };
    const pixels = named('pixel_values');
    const expected = named('last_hidden_state').values;
    const imported = await importModel(MODEL, { imageSize, newHead: { classes: 2, seed: 1 } });
    if (!visionTransformerFamily.holds(imported)) throw new Error(`expected a ViT, got a ${imported.kind}`);
    const { model, params } = imported;
    expect(imported.leftOut).toEqual([]);
    const found = tidy(() => {
      const images = upload(pixels);
      const features = model.features(params, { images: transpose(images, [0, 2, 3, 1]) });
      return reshape(features, [-1]).dataSync<'float32'>();
    });
    disposeTree(params);
    expect(found).toHaveLength(expected.length);
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const off = found.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? NaN))), 0);
    expect(off).toBeLessThan(1e-3 * largest);
  });
});
