import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostTensor } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { FormatError, importModel, importVisionTransformer } from '../../src/index';
import { textConfig } from '../../src/layouts/hugging-face/clip';
import { clipTextNaming } from '../../src/layouts/hugging-face/clip-text';
import { clipNaming, readClipConfig } from '../../src/layouts/hugging-face/dual-encoder';
import { checkJson } from '../../src/file/json';
import { writeCheckpoint, zeros } from './checkpoints';
import { type Fields, describeConfiguration, everyField } from './configuration-laws';
import { D, dual, expectClip, text, theirClip, valueAt, values } from './small-clip';

const published: Fields = {
  _commit_hash: null,
  architectures: ['CLIPModel'],
  initializer_factor: 1.0,
  logit_scale_init_value: 2.6592,
  model_type: 'clip',
  projection_dim: 512,
  text_config: {
    ...everyField,
    ...{ attention_dropout: 0.0, bos_token_id: 0, dropout: 0.0, eos_token_id: 2, hidden_act: 'quick_gelu' },
    ...{ hidden_size: 512, initializer_factor: 1.0, initializer_range: 0.02, intermediate_size: 2048 },
    ...{ layer_norm_eps: 1e-5, max_position_embeddings: 77, model_type: 'clip_text_model' },
    ...{ num_attention_heads: 8, num_hidden_layers: 12, pad_token_id: 1, projection_dim: 512 },
    ...{ vocab_size: 49408 },
  },
  text_config_dict: null,
  torch_dtype: 'float32',
  transformers_version: null,
  vision_config: {
    ...everyField,
    ...{ attention_dropout: 0.0, dropout: 0.0, eos_token_id: null, hidden_act: 'quick_gelu' },
    ...{ hidden_size: 768, image_size: 224, initializer_factor: 1.0, initializer_range: 0.02 },
    ...{ intermediate_size: 3072, layer_norm_eps: 1e-5, model_type: 'clip_vision_model' },
    ...{ num_attention_heads: 12, num_channels: 3, num_hidden_layers: 12, patch_size: 32 },
    ...{ projection_dim: 512 },
  },
  vision_config_dict: null,
};
const publishedText: Fields = {
  architectures: ['CLIPTextModelWithProjection'],
  ...{ attention_dropout: 0.0, bos_token_id: 0, dropout: 0.0, eos_token_id: 2, hidden_act: 'gelu' },
  ...{ hidden_size: 1280, initializer_factor: 1.0, initializer_range: 0.02, intermediate_size: 5120 },
  ...{ layer_norm_eps: 1e-5, max_position_embeddings: 77, model_type: 'clip_text_model' },
  ...{ num_attention_heads: 20, num_hidden_layers: 32, pad_token_id: 1, projection_dim: 1280 },
  ...{ torch_dtype: 'float16', transformers_version: '4.32.0.dev0', vocab_size: 49408 },
};
const read = (json: unknown) => readClipConfig({ file: 'config.json', json });
const readText = (json: unknown) => checkJson('config.json', json, textConfig, 'the configuration of a CLIP');

test('configurations as they are published are read, with all that they have', () => {
  expect(read(published)).toMatchObject({ projectionDim: 512, text: { eos_token_id: 2 } });
  expect(
    read({ ...published, text_config_dict: { hidden_size: 768 }, vision_config_dict: { patch_size: 14 } }),
  ).toMatchObject({ text: { hidden_size: 768 }, vision: { patch_size: 14 } });
  expect(readText(publishedText)).toMatchObject({ projection_dim: 1280 });
});

describeConfiguration('of a published CLIPModel', {
  read,
  json: published,
  what: 'a CLIP',
  places: ['', 'text_config.', 'vision_config.'],
  refused: [
    ['text_config.hidden_act', 'gelu_new'],
    ['text_config.eos_token_id', [2, 3]],
    ['vision_config.image_size', [224, 448]],
    ['quantization_config', { bits: 8 }],
  ],
});

describeConfiguration('of a published CLIPTextModelWithProjection', {
  read: readText,
  json: publishedText,
  what: 'a CLIP',
  places: [''],
  refused: [['hidden_act', 'gelu_new']],
});

const textJson = {
  hidden_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 1,
  intermediate_size: 7,
  vocab_size: 9,
  max_position_embeddings: 4,
  projection_dim: 5,
  eos_token_id: 8,
};
const visionJson = {
  hidden_size: D,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 6,
  image_size: 4,
  patch_size: 2,
};
const json = { model_type: 'clip', projection_dim: 5, text_config: textJson, vision_config: visionJson };
const textModelJson = { model_type: 'clip_text_model', ...textJson };

let folder: string;
beforeAll(async () => {
  await startEngine('wasm');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (tensors: ReadonlyMap<string, HostTensor>, config: object = json) =>
  writeCheckpoint(folder, tensors, { 'config.json': config });
const theirs = () => theirClip(dual, clipNaming);
const theirText = () => theirClip(text, clipTextNaming);

test('the names put projections, tokens and scales where PyTorch has them', () => {
  const ours = values['dual-encoder'];
  const tensors = theirs();
  expect(tensors.get('logit_scale')?.shape).toEqual([]);
  expect(tensors.get('vision_model.embeddings.class_embedding')?.shape).toEqual([D]);
  for (let d = 0; d < D; d++) {
    for (let p = 0; p < 5; p++) {
      expect(valueAt(tensors, 'visual_projection.weight', p, d)).toBe(
        valueAt(ours, 'visionProjection', d, p),
      );
    }
  }
  for (let d = 0; d < 64; d++) {
    expect(valueAt(tensors, 'text_projection.weight', 2, d)).toBe(valueAt(ours, 'textProjection', d, 2));
    expect(valueAt(tensors, 'text_model.embeddings.token_embedding.weight', 3, d)).toBe(
      valueAt(ours, 'text.tokenEmbedding', 3, d),
    );
  }
});

describe('a CLIP of Hugging Face', () => {
  it('is imported with both towers', async () => {
    await write(theirs());
    expect(await expectClip(folder, dual)).toEqual([]);
  });

  it('is imported as a text tower with its projection', async () => {
    await write(theirText(), textModelJson);
    expect(await expectClip(folder, text)).toEqual([]);
  });

  it('may hold the numbers of the positions, which are left out', async () => {
    const positions: HostTensor = { dtype: 'int32', shape: [1, 4], values: Int32Array.of(0, 1, 2, 3) };
    await write(theirs().set('text_model.embeddings.position_ids', positions));
    expect(await expectClip(folder, dual)).toEqual([
      'text_model.embeddings.position_ids: positions are counted, not stored',
    ]);
  });

  it.each([
    ['the greatest token of a text, where old configurations say 2', { eos_token_id: 2 }, 'greatest'],
    ['the one that the configuration says', { eos_token_id: 5 }, 5],
  ] as const)('ends texts with %s', async (_, fields, endToken) => {
    await write(theirText(), { ...textModelJson, ...fields });
    await expectClip(folder, { ...text, endToken });
  });

  it('believes the fields of old configurations that end in _dict', async () => {
    await write(theirs(), {
      ...json,
      text_config: { ...textJson, vocab_size: 10 },
      text_config_dict: textJson,
      vision_config_dict: null,
    });
    await expectClip(folder, dual);
  });

  it.each([
    [
      { model_type: 'chinese_clip' },
      /at model_type: expected clip \(both towers\), clip_text_model \(the text tower with its projection\) or siglip \(both towers\), got "chinese_clip"$/,
    ],
    [
      { model_type: 'siglip2' },
      /got "siglip2": models with pictures of any shape \(NaFlex\) are not supported/,
    ],
    [{ model_type: 'clip_vision_model' }, /at model_type: expected clip/],
    [{ text_config: { ...textJson, hidden_act: 'relu' } }, /at text_config\.hidden_act/],
    [{ text_config: { ...textJson, eos_token_id: 9 } }, /at text_config\.eos_token_id: expected a token/],
    [
      { text_config: { ...textJson, num_attention_heads: 3 } },
      /at text_config\.hidden_size: expected a multiple/,
    ],
    [
      { vision_config: { ...visionJson, image_size: 5 } },
      /at vision_config\.image_size: expected a multiple/,
    ],
  ])('is refused where its configuration says %j', async (fields, message) => {
    await write(theirs(), { ...json, ...fields });
    const failure = importModel(folder);
    await expect(failure).rejects.toThrow(FormatError);
    await expect(failure).rejects.toThrow(message);
  });

  it.each([
    ['text_model.', ''],
    ['', 'text_model.'],
  ])('is refused as a text tower without a projection, named %j', async (prefix, other) => {
    const tensors = [...theirText()].filter(([name]) => name !== 'text_projection.weight');
    const named = tensors.map(([name, tensor]) => [name.replace(/^text_model\./, prefix), tensor] as const);
    expect(named.some(([name]) => other !== '' && name.startsWith(other))).toBe(false);
    await write(new Map(named), textModelJson);
    await expect(importModel(folder)).rejects.toThrow(
      /missing text_projection\.weight \[5, 64\]: this is a CLIPTextModel.*save it as a CLIPTextModelWithProjection/,
    );
  });

  it('lists tensors that are missing, extra, misshapen or of another type by their own names', async () => {
    const tensors = theirs();
    tensors.delete('vision_model.pre_layrnorm.bias');
    tensors.set('more', zeros(2));
    tensors.set('visual_projection.weight', zeros(D, 5));
    tensors.set('logit_scale', { dtype: 'int32', shape: [], values: Int32Array.of(4) });
    await write(tensors);
    const failure = importModel(folder);
    await expect(failure).rejects.toThrow(FormatError);
    await expect(failure).rejects.toThrow(/missing vision_model\.pre_layrnorm\.bias \[128\]/);
    await expect(failure).rejects.toThrow(/extra more \[2\]/);
    await expect(failure).rejects.toThrow(/visual_projection\.weight: expected \[5, 128\], got \[128, 5\]/);
    await expect(failure).rejects.toThrow(/logit_scale: expected floating-point values, got integers/);
  });

  it('needs its configuration, has no classifier, and is no vision transformer', async () => {
    await writeCheckpoint(folder, theirs());
    await expect(importModel(folder)).rejects.toThrow(/expected a config\.json beside/);
    await write(theirs());
    await expect(importModel(folder, { newHead: { classes: 2, seed: 1 } })).rejects.toThrow(
      /expected a model with a classifier for the option `newHead`, got a CLIP, which has none/,
    );
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      /expected a ViT or DeiT .* got tensors like/,
    );
  });
});
