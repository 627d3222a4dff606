import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Tensor, type Tensor2D, type Tensor4D, tensor, tidy, transpose } from '@tensorflow/tfjs-core';
import {
  type AnyDenseModel,
  type HostTensor,
  type DenseConfig,
  type TextTowerConfig,
  type VisionTowerConfig,
  anyModel,
  disposeTree,
  randomStream,
  sidesOf,
  sizeOf,
  visionTransformerFamily,
  clipTextFamily,
  dualEncoderFamily,
  familyOf,
} from '@winnow/core';

import { startEngine } from '@winnow/engine';
import { exportHuggingFace, importModel, readSafetensors, writeSafetensors } from '../src/index';
import { runPeer, withPeer } from './peers/python';
import {
  clipTexts,
  dinov2s,
  dualEncoders,
  one,
  randomValues,
  siglipClassifiers,
  siglips,
  visionTransformers,
} from './random-model';

const TOLERANCE = 1e-4;
/** Python and its libraries take seconds to start. */
const MINUTES = 180_000;

let folder: string;
beforeAll(async () => {
  await startEngine('wasm');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-'));
});
afterEach(() => rm(folder, { recursive: true }));

const upload = ({ values, shape, dtype }: HostTensor): Tensor => tensor(values, [...shape], dtype);

async function tensorsIn(file: string): Promise<Record<string, HostTensor>> {
  return Object.fromEntries((await readSafetensors(file)).tensors);
}

/** Gives our model's answers to these inputs, under the names of `transformers`. */
function answersOf(
  imported: AnyDenseModel,
  inputs: Record<string, HostTensor>,
): Record<string, Float32Array> {
  const { pixel_values: pixels, input_ids: ids } = inputs;
  const images = () => transpose<Tensor4D>(upload(present(pixels)) as Tensor4D, [0, 2, 3, 1]);
  const tokens = () => upload(present(ids)) as Tensor2D;
  const values = (x: Tensor) => x.dataSync<'float32'>();
  return tidy((): Record<string, Float32Array> => {
    if (visionTransformerFamily.holds(imported))
      return { logits: values(imported.model.forward(imported.params, { images: images() }).logits) };
    if (clipTextFamily.holds(imported))
      return { text_embeds: values(imported.model.forward(imported.params, { tokens: tokens() }).logits) };
    if (!dualEncoderFamily.holds(imported)) throw new Error(`nothing to compare of a ${imported.kind}`);
    const { model, params } = imported;
    return {
      logits_per_image: values(model.forward(params, { images: images(), tokens: tokens() }).logits),
      image_embeds: values(model.embedImages(params, images())),
      text_embeds: values(model.embedTexts(params, tokens())),
    };
  });
}

function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('expected a value');
  return value;
}

/** Two pictures [B, C, H, W], and three texts that end at different places, as far as a model takes them. */
function inputsOf(config: DenseConfig): Record<string, HostTensor> {
  const { vision, text } = familyOf(config).towers(config);
  return {
    ...(vision === undefined ? {} : { pixel_values: picturesFor(vision) }),
    ...(text === undefined ? {} : { input_ids: textsFor(text) }),
  };
}

function picturesFor({ channels, imageSize }: VisionTowerConfig): HostTensor {
  const { normal } = randomStream(2, 'pictures');
  const { height, width } = sidesOf(imageSize);
  const shape = [2, channels, height, width];
  return { dtype: 'float32', shape, values: Float32Array.from({ length: sizeOf({ shape }) }, normal) };
}

function textsFor({ context, endToken, vocabulary }: TextTowerConfig): HostTensor {
  const last = typeof endToken === 'string' ? vocabulary - 1 : endToken;
  const { integer } = randomStream(2, 'texts');
  const texts = [1, context - 1, context >> 1].flatMap((end) =>
    Array.from({ length: context }, (_, place) => (place === end ? last : integer(last))),
  );
  return { dtype: 'int32', shape: [3, context], values: Int32Array.from(texts) };
}

/** Per answer the greatest distance; NaN where a value is. */
function distances(
  actual: Record<string, Float32Array>,
  expected: Record<string, HostTensor>,
): Record<string, number> {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  return Object.fromEntries(
    Object.entries(actual).map(([name, values]) => {
      const theirs = present(expected[name]).values;
      expect(values.length).toBe(theirs.length);
      const far = values.reduce((most, value, i) => {
        const distance = Math.abs(value - (theirs[i] ?? NaN));
        return distance <= most ? most : distance;
      }, 0);
      return [name, far];
    }),
  );
}

function expectClose(actual: Record<string, Float32Array>, expected: Record<string, HostTensor>): void {
  const far = Object.entries(distances(actual, expected)).filter(([, distance]) => !(distance < TOLERANCE));
  expect(Object.fromEntries(far)).toEqual({});
}

/** Imports a checkpoint that the peer makes, and compares the answers. */
async function expectSameAnswers(source: string, options: object): Promise<AnyDenseModel> {
  runPeer('make', source, folder, JSON.stringify(options));
  const imported = await importModel(folder);
  const inputs = await tensorsIn(join(folder, 'inputs.safetensors'));
  expectClose(answersOf(imported, inputs), await tensorsIn(join(folder, 'expected.safetensors')));
  return imported;
}

withPeer(['torch', 'transformers', 'safetensors'], () => {
  it.each([
    ['both towers', {}],
    ['both towers, GELU', { hidden_act: 'gelu' }],
    ['both towers, the end token of old configurations', { eos_token_id: 2 }],
    ['both towers in several files', { max_shard_size: '20KB' }],
    ['both towers in half precision', { dtype: 'float16' }],
    ['both towers in bfloat16', { dtype: 'bfloat16' }],
    ['the text tower', { class: 'CLIPTextModelWithProjection' }],
  ])(
    'a CLIP gives the same answers: %s',
    async (_, options) => {
      const { params } = await expectSameAnswers('transformers', options);
      const files = (await readdir(folder)).filter((name) => /^model-\d+-of-\d+\.safetensors$/.test(name));
      expect(files.length > 1).toBe('max_shard_size' in options);
      disposeTree(params);
    },
    MINUTES,
  );

  it(
    'a text tower without its projection is refused with what is missing',
    async () => {
      runPeer('make', 'transformers', folder, JSON.stringify({ class: 'CLIPTextModel' }));
      await expect(importModel(folder)).rejects.toThrow(
        /missing text_projection\.weight \[20, 24\]: this is a CLIPTextModel/,
      );
    },
    MINUTES,
  );

  it.each([
    ['CLIPModel', dualEncoders],
    ['CLIPTextModelWithProjection', clipTexts],
    ['SiglipModel', siglips],
    ['SiglipForImageClassification', siglipClassifiers],
    ['Dinov2ForImageClassification', dinov2s.filter(({ registers }) => registers === undefined)],
    ['Dinov2WithRegistersForImageClassification', dinov2s.filter(({ registers }) => registers !== undefined)],
    [
      'ViTForImageClassification',
      visionTransformers.map((config) => ({ ...config, distillation: 'none' as const })),
    ],
    [
      'DeiTForImageClassificationWithTeacher',
      visionTransformers.map((config) => ({ ...config, distillation: 'head' as const })),
    ],
  ] as const)(
    'our export is what %s reads, without a tensor missing or left over',
    async (kind, configs) => {
      const config = one<DenseConfig>(configs);
      const own = anyModel(config, randomValues(config, 1, 0.3));
      const inputs = inputsOf(config);
      const [given, answers] = ['given.safetensors', 'answers.safetensors'].map((name) => join(folder, name));
      await exportHuggingFace(folder, own);
      await writeSafetensors(present(given), new Map(Object.entries(inputs)));
      runPeer('run', kind, folder, present(given), present(answers));
      expectClose(answersOf(own, inputs), await tensorsIn(present(answers)));
      disposeTree(own.params);
    },
    MINUTES,
  );
});

withPeer(['torch', 'open_clip', 'safetensors', 'transformers'], () => {
  it.each([
    ['GELU', {}],
    ['quick-GELU', { quick_gelu: true }],
    ['rectangles', { image_size: [8, 16] }],
    ['texts that end at a named token', { text: { pool_type: 'eos', eos_id: 59 } }],
    ["the form of OpenAI's own files", { quick_gelu: true, openai: true }],
  ])(
    'a CLIP gives the same answers: %s',
    async (_, options) => {
      const { kind, params } = await expectSameAnswers('open_clip', options);
      expect(kind).toBe('dual-encoder');
      disposeTree(params);
    },
    MINUTES,
  );
});

withPeer(['torch', 'timm', 'safetensors', 'transformers'], () => {
  it.each([
    ['a ViT', {}],
    ['rectangles', { img_size: [16, 4] }],
    ['a ViT with quick-GELU', { act_layer: 'quick_gelu' }],
    ['a ViT that takes pictures of any size', { dynamic_img_size: true, drop_path_rate: 0.1 }],
    ['layer scale', { init_values: 1e-5 }],
    ['registers without positions', { reg_tokens: 2, no_embed_class: true }],
    ['registers with positions', { reg_tokens: 2 }],
    ['a DeiT III', { architecture: 'deit3_small_patch16_224' }],
    ['the mean of the patches, normalised after', { global_pool: 'avg' }],
    ['the mean of the patches, normalised before', { global_pool: 'avg', fc_norm: false }],
    ['no class token', { class_token: false, global_pool: 'avg' }],
    ['no biases of queries, keys and values', { qkv_bias: false }],
    ['attention pooling', { architecture: 'vit_base_patch16_siglip_224', embed_dim: 64, num_heads: 2 }],
    ['the approximate GELU', { act_layer: 'gelu_tanh' }],
    ["CLIP's tower", { architecture: 'vit_base_patch32_clip_224', embed_dim: 64, num_heads: 2 }],
    ['a distilled DeiT', { architecture: 'deit_tiny_distilled_patch16_224' }],
  ])(
    'a model of timm gives the same answers: %s',
    async (_, options) => {
      const { kind, params } = await expectSameAnswers('timm', options);
      expect(kind).toBe('vision-transformer');
      disposeTree(params);
    },
    MINUTES,
  );

  it.each([
    ['another pooling', { global_pool: 'avgmax' }, /at model_args\.global_pool: expected token, avg or map/],
    ['patches of rectangles', { patch_size: [4, 2] }, /only square patches are supported, got 4 × 2/],
    ['norms within attention', { qk_norm: true }, /norms within attention/],
  ])(
    'a model of timm that is another function is refused: %s',
    async (_, options, message) => {
      runPeer('make', 'timm', folder, JSON.stringify(options));
      await expect(importModel(folder)).rejects.toThrow(message);
    },
    MINUTES,
  );
});
