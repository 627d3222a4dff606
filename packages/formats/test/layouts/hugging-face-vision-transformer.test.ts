import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Distillation,
  type HostTensor,
  type VisionTransformerConfig,
  type VisionTransformerParams,
  disposeTree,
  downloadTree,
  initialize,
  uploadTree,
  visionTransformer,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { FormatError, exportHuggingFace, importVisionTransformer } from '../../src/index';
import {
  readVisionTransformerConfig,
  visionTransformerNaming,
} from '../../src/layouts/hugging-face/vision-transformer';
import { countedValues, theirsOf, writeCheckpoint, zeros } from './checkpoints';
import { type Fields, describeConfiguration, everyField } from './configuration-laws';
import { expectImported, small } from './small-vision-transformer';

const published: Fields = {
  _name_or_path: 'google/vit-base-patch16-224-in21k',
  architectures: ['ViTForImageClassification'],
  attention_probs_dropout_prob: 0.0,
  encoder_stride: 16,
  finetuning_task: 'image-classification',
  hidden_act: 'gelu',
  hidden_dropout_prob: 0.0,
  hidden_size: 768,
  id2label: { '0': 'cat', '1': 'dog' },
  image_size: 224,
  initializer_range: 0.02,
  intermediate_size: 3072,
  label2id: { cat: '0', dog: '1' },
  layer_norm_eps: 1e-12,
  model_type: 'vit',
  num_attention_heads: 12,
  num_channels: 3,
  num_hidden_layers: 12,
  patch_size: 16,
  pooler_act: 'tanh',
  pooler_output_size: 768,
  problem_type: 'single_label_classification',
  qkv_bias: true,
  torch_dtype: 'float32',
  'transformers.js_config': { dtype: 'q8' },
  transformers_version: '4.57.0',
};
const read = (json: unknown) => readVisionTransformerConfig({ file: 'config.json', json });

test('configurations as they are published are read, with all that they have', () => {
  expect(read(published)).toMatchObject({ hidden_size: 768, image_size: 224 });
  expect(read({ ...everyField, ...published })).toMatchObject({ patch_size: 16 });
  const architectures = ['DeiTForImageClassificationWithTeacher'];
  expect(read({ ...published, model_type: 'deit', architectures })).toMatchObject({ model_type: 'deit' });
  expect(read({ ...published, image_size: [224, 224], patch_size: [16, 16] })).toMatchObject({
    image_size: 224,
    patch_size: 16,
  });
  expect(read({ ...published, image_size: [224, 448] })).toMatchObject({
    image_size: { height: 224, width: 448 },
  });
});

describeConfiguration('of a published ViT', {
  read,
  json: published,
  what: 'a ViT',
  places: [''],
  refused: [
    ['qkv_bias', 'sometimes'],
    ['hidden_act', 'gelu_new'],
    ['image_size', [224, 450]],
    ['image_size', [224, 448, 224]],
    ['patch_size', [16, 8]],
    ['pruned_heads', { '1': [0, 2] }],
    ['quantization_config', { bits: 8 }],
    ['is_decoder', true],
    ['problem_type', 'multi_label_classification'],
    ['model_type', 'dinov2'],
  ],
});

const config: Fields = {
  model_type: 'vit',
  architectures: ['ViTForImageClassification'],
  hidden_size: 6,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 10,
  hidden_act: 'gelu',
  layer_norm_eps: 1e-12,
  image_size: 4,
  patch_size: 2,
  num_channels: 2,
  qkv_bias: true,
};

const ours = (distillation: Distillation = 'none') => small(distillation, 1e-12);
const theirs = (
  model: VisionTransformerConfig = ours(),
  prefix = 'vit.',
  style: 'encoder.layer' | 'layers' = 'encoder.layer',
) => theirsOf(model, visionTransformerNaming({ prefix, style, distillation: model.distillation }));

let folder: string;
beforeAll(async () => {
  await startEngine('wasm');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (tensors: ReadonlyMap<string, HostTensor>, json: object = config) =>
  writeCheckpoint(folder, tensors, { 'config.json': json });

describe('a ViT or DeiT of Hugging Face', () => {
  it.each(['encoder.layer', 'layers'] as const)('is imported by names of the style %s', async (style) => {
    await write(theirs(ours(), 'vit.', style));
    await expectImported(folder, ours());
  });

  it.each([
    ['token', 'DeiTForImageClassification'],
    ['head', 'DeiTForImageClassificationWithTeacher'],
  ] as const)('is imported with a distillation %s', async (distillation, architecture) => {
    await write(theirs(ours(distillation), 'deit.'), {
      ...config,
      model_type: 'deit',
      architectures: [architecture],
    });
    await expectImported(folder, ours(distillation));
  });

  it('starts a fresh classifier, and leaves the old one and the pooler out', async () => {
    await write(theirs().set('vit.pooler.dense.weight', zeros(6, 6)));
    const imported = await importVisionTransformer(folder, { newHead: { classes: 5, seed: 3 } });
    expect(imported.model.config.classes).toBe(5);
    expect([...imported.leftOut].sort()).toEqual([
      'classifier.bias: a fresh classifier was asked for',
      'classifier.weight: a fresh classifier was asked for',
      'vit.pooler.dense.weight: the classifier reads the class token, not the pooler',
    ]);
    const fresh = initialize<typeof imported.params>(imported.model.specs, 3);
    const values = await downloadTree(imported.params);
    expect(values.get('head.weight')).toEqual((await downloadTree(fresh)).get('head.weight'));
    expect(values.get('norm.weight')).toEqual(countedValues(ours()).get('norm.weight'));
    disposeTree([imported.params, fresh]);
  });

  it('is read as a bare encoder (no prefix, no classifier) only with a fresh classifier', async () => {
    const tensors = theirs(ours(), '');
    tensors.delete('classifier.weight');
    tensors.delete('classifier.bias');
    await write(tensors, { ...config, architectures: ['ViTModel'] });
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      /expected a classifier classifier\.weight with a row per class, got none; a fresh one .*option `newHead`/,
    );
    const { params } = await importVisionTransformer(folder, { newHead: { classes: 2, seed: 1 } });
    expect(params.head.weight.shape).toEqual([6, 2]);
    disposeTree(params);
  });

  it('lists missing, extra and misshapen tensors by their own names', async () => {
    const tensors = theirs();
    tensors.delete('vit.encoder.layer.1.output.dense.bias');
    tensors.set('vit.more', zeros(1));
    tensors.set('vit.layernorm.bias', zeros(5));
    tensors.set('vit.layernorm.weight', { dtype: 'int32', shape: [6], values: new Int32Array(6) });
    await write(tensors);
    const failure = importVisionTransformer(folder);
    await expect(failure).rejects.toThrow(FormatError);
    await expect(failure).rejects.toThrow(/missing vit\.encoder\.layer\.1\.output\.dense\.bias \[6\]/);
    await expect(failure).rejects.toThrow(/extra vit\.more \[1\]/);
    await expect(failure).rejects.toThrow(/vit\.layernorm\.bias: expected \[6\], got \[5\]/);
    await expect(failure).rejects.toThrow(/vit\.layernorm\.weight: expected floating-point values/);
  });

  it.each([
    [{ qkv_bias: false }, /extra vit\.encoder\.layer\.0\.attention\.attention\.query\.bias/],
    [{ hidden_act: 'gelu_new' }, /at hidden_act/],
    [
      { model_type: 'swin' },
      /ViT or DeiT\n {2}at model_type: expected vit, deit, dinov2 or dinov2_with_registers, got "swin": models with attention within windows are not supported$/,
    ],
    [
      { model_type: undefined },
      /at model_type: expected vit, deit, dinov2 or dinov2_with_registers, got nothing$/,
    ],
    [
      { model_type: 'dinov3_vit' },
      /at model_type: expected .*, got "dinov3_vit": models with rotary positions are not supported/,
    ],
    [{ image_size: 5 }, /at image_size: expected a multiple of patch_size/],
    [{ num_attention_heads: 4 }, /at hidden_size: expected a multiple of num_attention_heads/],
  ])('is refused where its configuration says %j', async (fields, message) => {
    await write(theirs(), { ...config, ...fields });
    await expect(importVisionTransformer(folder)).rejects.toThrow(FormatError);
    await expect(importVisionTransformer(folder)).rejects.toThrow(message);
  });

  it('says what else is missing', async () => {
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      /model\.safetensors: there is no such file/,
    );
    await writeCheckpoint(folder, theirs());
    await expect(importVisionTransformer(folder)).rejects.toThrow(/expected a config\.json beside/);
  });
});

describe('exportHuggingFace', () => {
  it.each(['none', 'token', 'head'] as const)(
    'writes what is imported again, distillation %s',
    async (distillation) => {
      const model = visionTransformer(ours(distillation));
      const params = uploadTree<VisionTransformerParams>(model.specs, countedValues(model.config));
      await exportHuggingFace(folder, { model, params });
      disposeTree(params);
      await expectImported(folder, model.config);
    },
  );

  it('refuses layers of different sizes, shared columns and parameters of another model, and writes nothing', async () => {
    const dense = visionTransformer(ours());
    const cut = dense.shrink({
      version: 1,
      sites: { 'blocks.1.ffn': { kind: 'keep', kept: [0, 4], units: 10 } },
    });
    const params = initialize<VisionTransformerParams>(dense.specs, 1);
    await expect(exportHuggingFace(folder, { model: cut, params })).rejects.toThrow(
      /expected 2 heads of 3 and 10 hidden units in every layer, got 2 heads of 3 and 2 hidden units in layer 1/,
    );
    const tied = { ...dense, config: { ...dense.config, ties: {} } };
    await expect(exportHuggingFace(folder, { model: tied, params })).rejects.toThrow(
      /cannot say that columns are shared/,
    );
    await expect(
      exportHuggingFace(folder, { model: visionTransformer(ours('token')), params }),
    ).rejects.toThrow(/missing distillationToken/);
    expect(await readdir(folder)).toEqual([]);
    disposeTree(params);
  });
});
