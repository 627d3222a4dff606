import { tensor2d, tensor4d, transpose } from '@tensorflow/tfjs-core';
import { type TensorTree, type ViltConfig, modelOf, uploadTree, visionTowerConfig } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { Tensor } from 'onnxruntime-node';
import { modelParts } from '../src/index';
import { difference, randomParameters, sessionOf } from './parity';

const nano = visionTowerConfig('nano', { imageSize: { height: 8, width: 12 }, patchSize: 4 });
const tower = {
  ...nano.tower,
  embedDim: 16,
  heads: 2,
  denseHeadDim: 8,
  blocks: [{ headDim: 6, hiddenDim: 20 }],
};
const configOf = (head: ViltConfig['head']): ViltConfig => ({
  kind: 'vilt',
  vision: { ...nano, tower },
  text: { vocabulary: 11, context: 7, endToken: 9, types: 2, normEpsilon: 1e-6 },
  modalities: 3,
  head,
});

beforeAll(async () => {
  await startEngine('wasm');
});

test('a ViLT is one file that takes pictures and texts, and says the same', async () => {
  const config = configOf({ kind: 'answers', answers: 5 });
  const model = modelOf(config);
  const parameters = randomParameters(model);
  const [part, ...others] = modelParts({ config });
  if (part === undefined || others.length > 0) throw new Error('expected one part');
  const session = await sessionOf(part, parameters, { precision: 'f32', opset: 17 });
  const [batch, channels, height, width] = [3, 3, 8, 12];
  const pixels = Float32Array.from({ length: batch * channels * height * width }, (_, at) => Math.sin(at));
  const tokens = Int32Array.of(1, 2, 9, 0, 0, 0, 0, 3, 4, 5, 6, 7, 8, 9, 1, 1, 1, 9, 2, 9, 3);
  const { logits } = await session.run({
    pixel_values: new Tensor('float32', pixels, [batch, channels, height, width]),
    input_ids: new Tensor('int64', BigInt64Array.from(tokens, BigInt), [batch, 7]),
  });
  const wanted = model.forward(uploadTree<TensorTree>(model.specs, parameters), {
    images: transpose(tensor4d(pixels, [batch, channels, height, width]), [0, 2, 3, 1]),
    tokens: tensor2d(tokens, [batch, 7], 'int32'),
  });
  expect(logits?.dims).toEqual([batch, 5]);
  if (!(logits?.data instanceof Float32Array)) throw new Error('expected float32');
  expect(difference(logits.data, Float32Array.from(wanted['logits']?.dataSync() ?? []))).toBeLessThan(1e-4);
});

test('one of two pictures is refused by name', () => {
  expect(() => modelParts({ config: configOf({ kind: 'statements' }) })).toThrow(
    /takes two pictures at once/,
  );
});
