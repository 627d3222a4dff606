import { tensor4d, transpose } from '@tensorflow/tfjs-core';
import {
  type SegmenterConfig,
  type TensorTree,
  maskDecoder,
  modelOf,
  uploadTree,
  visionTowerConfig,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { Tensor } from 'onnxruntime-node';
import { modelParts } from '../src/index';
import { difference, randomParameters, sessionOf } from './parity';

const nano = visionTowerConfig('nano', { imageSize: { height: 8, width: 12 }, patchSize: 4 });
const vision = {
  ...nano,
  tower: { ...nano.tower, embedDim: 16, heads: 2, denseHeadDim: 8, blocks: [{ headDim: 6, hiddenDim: 20 }] },
};

beforeAll(async () => {
  await startEngine('wasm');
});

test.each(['linear', 'mask'] as const)(
  'a segmenter with a %s decoder says the same of every pixel',
  async (kind) => {
    const config: SegmenterConfig = {
      kind: 'segmenter',
      vision,
      classes: 3,
      decoder: kind === 'linear' ? { kind } : maskDecoder(vision),
    };
    const model = modelOf(config);
    const parameters = randomParameters(model);
    const [part] = modelParts({ config });
    if (part === undefined) throw new Error('expected a part');
    const session = await sessionOf(part, parameters, { precision: 'f32', opset: 17 });
    const [batch, channels, height, width] = [3, 3, 8, 12];
    const pixels = Float32Array.from({ length: batch * channels * height * width }, (_, at) => Math.sin(at));
    const { logits } = await session.run({
      pixel_values: new Tensor('float32', pixels, [batch, channels, height, width]),
    });
    const wanted = model.forward(uploadTree<TensorTree>(model.specs, parameters), {
      images: transpose(tensor4d(pixels, [batch, channels, height, width]), [0, 2, 3, 1]),
    });
    expect(logits?.dims).toEqual([batch, height * width, 3]);
    if (!(logits?.data instanceof Float32Array)) throw new Error('expected float32');
    expect(difference(logits.data, Float32Array.from(wanted['logits']?.dataSync() ?? []))).toBeLessThan(1e-4);
  },
);
