import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ClipTextConfig,
  type DenseConfig,
  type DualEncoderConfig,
  type HostTensor,
  type ModelConfig,
  type TensorTree,
  type VisionTransformerConfig,
  disposeTree,
  entriesOf,
  maskFrom,
  modelOf,
  randomStream,
  uploadTree,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { saveModel } from '@winnow/formats';
import { proofFacts } from '@winnow/onnx/facts';
import { openModel } from '../src/index';
import { companionsOf } from '../src/model-source/export-model';
import { writeOnnx } from '../src/onnx/write-onnx';
import { proveFiles } from '../src/proof/prove-files';

const root = mkdtempSync(join(tmpdir(), 'winnow-families-'));
beforeAll(async () => {
  await startEngine('wasm');
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

const tower = {
  embedDim: 16,
  heads: 2,
  denseHeadDim: 8,
  activation: 'gelu',
  causal: false,
  normEpsilon: 1e-6,
  blocks: [
    { headDim: 3, queryKeyDim: 5, hiddenDim: 19 },
    { headDim: 7, hiddenDim: 6 },
  ],
} as const;
const vision = {
  imageSize: 8,
  patchSize: 4,
  channels: 3,
  distillation: 'none',
  embeddingNorm: false,
  patchBias: true,
  tower,
} as const;
const plain: VisionTransformerConfig = { kind: 'vision-transformer', ...vision, classes: 3 };
const words = { vocabulary: 11, context: 7, endToken: 9, tower: { ...tower, causal: true } } as const;
const clip: DualEncoderConfig = {
  kind: 'dual-encoder',
  projectionDim: 6,
  vision: { ...vision, embeddingNorm: true, patchBias: false },
  text: words,
};
const even = { ...tower, denseHeadDim: 4, blocks: [0, 1].map(() => ({ headDim: 4, hiddenDim: 6 })) };
const columns = (letters: string) => ({ query: letters, key: letters, value: letters });
const shares = {
  'blocks.0.attention': { kind: 'share', units: 4, columns: columns('kkkkkkkk') },
  'blocks.1.attention': {
    kind: 'share',
    units: 4,
    lender: 'blocks.0.attention',
    columns: columns('bbkkbbkk'),
  },
  'blocks.0.ffn': { kind: 'share', units: 6, columns: { hidden: 'kkkkkk' } },
  'blocks.1.ffn': { kind: 'share', units: 6, lender: 'blocks.0.ffn', columns: { hidden: 'bkbkbk' } },
} as const;

const models: Readonly<Record<string, VisionTransformerConfig | ClipTextConfig | DualEncoderConfig>> = {
  'a cut ViT': plain,
  'a ViT with registers, read by class token and mean': {
    ...plain,
    headInput: 'class-and-mean',
    registers: 2,
    tower: { ...tower, layerScale: 0.2 },
  },
  'a distilled DeiT': { ...plain, distillation: 'head' },
  'a ViT with attention pooling': {
    ...plain,
    classToken: false,
    attentionPool: { headDim: 3, hiddenDim: 9 },
  },
  'the text tower of a CLIP': { kind: 'clip-text', ...words, projectionDim: 6 },
  'a CLIP': clip,
  'a SigLIP': {
    ...clip,
    projectionDim: 16,
    projections: 'text-alone',
    loss: 'sigmoid',
    vision: { ...vision, classToken: false, attentionPool: { headDim: 3, hiddenDim: 9 } },
    text: { ...words, endToken: 'last', tower },
  },
  'a ViT whose columns are shared': { ...plain, tower: even, ties: shares },
};

const random = (config: DenseConfig): Map<string, HostTensor> =>
  new Map(
    entriesOf(modelOf(config).specs).map(([path, { shape }]): [string, HostTensor] => {
      const stream = randomStream(3, path);
      const size = shape.reduce((product, extent) => product * extent, 1);
      const gain = /[nN]orm\.weight$/.test(path) ? 1 : 0;
      const values = Float32Array.from({ length: size }, () => gain + 0.3 * stream.normal());
      return [path, { dtype: 'float32', shape, values }];
    }),
  );

/** The parts of the proof that do not hold for a model in a precision. */
async function failing(name: string, config: ModelConfig, parameters: ReadonlyMap<string, HostTensor>) {
  const model = modelOf(config);
  const params = uploadTree<TensorTree>(model.specs, parameters);
  const folder = join(root, name);
  await saveModel(folder, { model, params });
  disposeTree(params);
  const opened = await openModel(folder);
  const companions = await companionsOf(opened);
  const failed: string[] = [];
  for (const precision of ['f32', 'f16'] as const) {
    const files = join(folder, precision);
    mkdirSync(files);
    await writeOnnx(files, opened, { precision }, companions);
    const claim = { opened, companions, precision, folder: files, pictures: { why: 'none' }, threads: 1 };
    const { checks } = await proveFiles(claim, proofFacts);
    failed.push(...checks.flatMap(({ verdict, says }) => (verdict === 'fails' ? [...says] : [])));
  }
  disposeTree(opened.params);
  return failed;
}

test.each(Object.entries(models))('%s is proved in float32 and float16', async (name, config) => {
  expect(await failing(name, config, random(config))).toEqual([]);
});

test('a model with masks is proved to have their zeros', async () => {
  const parameters = random(plain);
  const path = 'blocks.0.ffn.expand.weight';
  const found = parameters.get(path);
  if (found === undefined) throw new Error('expected a matrix');
  const kept = Float32Array.from(found.values, (_, at) => at % 3);
  const values = Float32Array.from(found.values, (value, at) => (at % 3 === 0 ? 0 : value));
  parameters.set(path, { dtype: 'float32', shape: found.shape, values });
  const masks = { [path]: maskFrom(kept, found.shape) };
  expect(await failing('masked', { kind: 'masked', model: plain, masks }, parameters)).toEqual([]);
});
