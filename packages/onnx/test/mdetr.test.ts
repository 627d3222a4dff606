import { tensor2d, tensor4d, transpose } from '@tensorflow/tfjs-core';
import { type MdetrConfig, type TensorTree, modelOf, uploadTree } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { Tensor } from 'onnxruntime-node';
import { modelParts } from '../src/index';
import { dualModels } from './families';
import { difference, randomParameters, sessionOf } from './parity';

const [clip] = Object.values(dualModels);
if (clip === undefined) throw new Error('expected two towers');

/** Cut unevenly in both towers; words see each other up to the end of their text. */
const config: MdetrConfig = {
  kind: 'mdetr',
  vision: { ...clip.vision, embeddingNorm: false },
  text: { ...clip.text, tower: { ...clip.text.tower, causal: false } },
  fusion: {
    width: 16,
    heads: 2,
    hiddenDim: 20,
    encoderLayers: 1,
    decoderLayers: 2,
    queries: 3,
    alignmentDim: 5,
  },
};

beforeAll(async () => {
  await startEngine('wasm');
});

test.each([
  ['f32', 17, 1e-4],
  ['f16', 20, 2e-2],
] as const)(
  'an MDETR is one file that takes pictures and texts, in %s with opset %i',
  async (precision, opset, most) => {
    const model = modelOf(config);
    const parameters = randomParameters(model);
    const [part, ...others] = modelParts({ config });
    if (part === undefined || others.length > 0) throw new Error('expected one part');
    const session = await sessionOf(part, parameters, { precision, opset });
    const [batch, channels, height, width] = [3, 3, 8, 12];
    const pixels = Float32Array.from({ length: batch * channels * height * width }, (_, at) => Math.sin(at));
    const tokens = Int32Array.of(
      ...[1, 2, 9, 0, 0, 0, 0],
      ...[3, 4, 5, 6, 7, 8, 9],
      ...[1, 1, 1, 9, 2, 9, 3],
    );
    const found = await session.run({
      pixel_values: new Tensor('float32', pixels, [batch, channels, height, width]),
      input_ids: new Tensor('int64', BigInt64Array.from(tokens, BigInt), [batch, 7]),
    });
    const wanted = model.forward(uploadTree<TensorTree>(model.specs, parameters), {
      images: transpose(tensor4d(pixels, [batch, channels, height, width]), [0, 2, 3, 1]),
      tokens: tensor2d(tokens, [batch, 7], 'int32'),
    });
    expect(Object.keys(found).sort()).toEqual(['aligned', 'boxes', 'logits', 'read', 'words']);
    expect(found['boxes']?.dims).toEqual([batch, 3, 4]);
    for (const [name, { data }] of Object.entries(found)) {
      if (!(data instanceof Float32Array)) throw new Error(`expected float32 of ${name}`);
      const own = difference(data, Float32Array.from(wanted[name]?.dataSync() ?? []));
      expect([name, own < most]).toEqual([name, true]);
    }
  },
);
