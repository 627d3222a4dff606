import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Tensor4D, abs, max, randomNormal, sub, tidy } from '@tensorflow/tfjs-core';
import {
  type VisionTransformerConfig,
  anyModel,
  disposeTree,
  downloadTree,
  visionTransformerFamily,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { FormatError, exportHuggingFace, importModel, importVisionTransformer } from '../../src/index';
import { huggingFaceDinov2, readDinov2Config } from '../../src/layouts/hugging-face/dinov2';
import { dinov2s, one, randomValues } from '../random-model';
import { countedValues, theirsOf, writeCheckpoint, zeros } from './checkpoints';
import { type Fields, describeConfiguration, everyField } from './configuration-laws';
import { small } from './small-vision-transformer';

let folder: string;
beforeAll(async () => {
  await startEngine('wasm');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** As the configuration of facebook/dinov2-with-registers-small is, with every field of transformers 4. */
const published: Fields = {
  ...everyField,
  ...{ model_type: 'dinov2_with_registers', architectures: ['Dinov2WithRegistersModel'] },
  ...{ apply_layernorm: true, attention_probs_dropout_prob: 0.0, drop_path_rate: 0.0, hidden_act: 'gelu' },
  ...{ hidden_dropout_prob: 0.0, hidden_size: 384, image_size: 518, initializer_range: 0.02 },
  ...{ layer_norm_eps: 1e-6, layerscale_value: 1.0, mlp_ratio: 4, num_attention_heads: 6, num_channels: 3 },
  ...{ num_hidden_layers: 12, num_register_tokens: 4, out_features: ['stage12'], out_indices: [12] },
  ...{ patch_size: 14, qkv_bias: true, reshape_hidden_states: true, stage_names: ['stem', 'stage1'] },
  ...{ use_swiglu_ffn: false, use_mask_token: true },
};
const read = (json: unknown) => readDinov2Config({ file: 'config.json', json });

test('a configuration as it is published is read, with the defaults of its kind where fields are absent', () => {
  expect(read(published)).toMatchObject({ intermediate_size: 1536, num_register_tokens: 4, patch_size: 14 });
  expect(read({ ...published, image_size: [518, 224] })).toMatchObject({
    image_size: { height: 518, width: 224 },
  });
  expect(read({ model_type: 'dinov2' })).toMatchObject({
    image_size: 224,
    patch_size: 14,
    num_register_tokens: 0,
  });
  expect(read({ model_type: 'dinov2_with_registers' })).toMatchObject({
    patch_size: 16,
    num_register_tokens: 4,
  });
});

describeConfiguration('of a published DINOv2', {
  read,
  json: published,
  what: 'a DINOv2',
  places: [''],
  refused: [
    ['use_swiglu_ffn', true],
    ['problem_type', 'regression'],
    ['hidden_act', 'silu'],
    ['image_size', [518, 225]],
    ['image_size', 500],
    ['quantization_config', { bits: 8 }],
    ['num_register_tokens', -1],
  ],
});

describe('a DINOv2 of Hugging Face', () => {
  const config = one(dinov2s.filter(({ registers }) => registers === undefined));
  const written = () => {
    const writing = huggingFaceDinov2.write(config);
    if (writing === undefined) throw new Error('expected a DINOv2 to be written');
    return { ...writing, tensors: theirsOf(config, writing.naming) };
  };

  it('is imported without its mask token, at the size that is asked for', async () => {
    const { json, tensors } = written();
    const D = config.tower.embedDim;
    await writeCheckpoint(folder, tensors.set('dinov2.embeddings.mask_token', zeros(1, D)), {
      'config.json': { ...json, model_type: 'dinov2' },
    });
    const same = await importModel(folder);
    expect(same.model.config).toEqual(config);
    expect(await downloadTree(same.params)).toEqual(countedValues(config));
    expect(same.leftOut).toEqual(['dinov2.embeddings.mask_token: only pre-training reads it']);
    disposeTree(same.params);
    const larger = await importModel(folder, { imageSize: 3 * config.patchSize });
    expect(larger.model.config).toEqual({ ...config, imageSize: 3 * config.patchSize });
    disposeTree(larger.params);
    await expect(importModel(folder, { imageSize: config.patchSize / 2 })).rejects.toThrow(FormatError);
  });

  it('starts a fresh classifier on a backbone, of class token and mean', async () => {
    const { json, tensors } = written();
    tensors.delete('classifier.weight');
    tensors.delete('classifier.bias');
    await writeCheckpoint(folder, tensors, { 'config.json': json });
    await expect(importVisionTransformer(folder)).rejects.toThrow('expected a classifier classifier.weight');
    const { params } = await importVisionTransformer(folder, { newHead: { classes: 7, seed: 1 } });
    expect(params.head.weight.shape).toEqual([2 * config.tower.embedDim, 7]);
    disposeTree(params);
  });
});

describe('a model with layer scale', () => {
  const scaled: VisionTransformerConfig = {
    ...small('none', 1e-6),
    tower: { ...small('none', 1e-6).tower, layerScale: 0.1 },
  };

  it('is a ViT of transformers with its layer scale folded into the layers before, and computes the same', async () => {
    const own = anyModel(scaled, randomValues(scaled, 3, 0.5));
    if (!visionTransformerFamily.holds(own)) throw new Error('expected a ViT');
    await exportHuggingFace(folder, own);
    const folded = await importVisionTransformer(folder);
    expect(folded.model.config).toEqual(small('none', 1e-6));
    const difference = tidy(() => {
      const images = randomNormal([3, 4, 4, 2], 0, 1, 'float32', 5) as Tensor4D;
      const before = own.model.forward(own.params, { images }).logits;
      return max(abs(sub(before, folded.model.forward(folded.params, { images }).logits))).dataSync()[0];
    });
    expect(difference).toBeLessThan(1e-5);
    disposeTree(own.params);
    disposeTree(folded.params);
  });

  it.each<[string, Partial<VisionTransformerConfig>]>([
    ['register tokens', { registers: 2 }],
    ['tokens without a position', { positioned: 'patches' }],
    ['one without layer scale', { headInput: 'class-and-mean', tower: small('none', 1e-6).tower }],
    ['reads the class token and the mean', { headInput: 'mean' }],
    ['a multiple of the width 6, got 10', { headInput: 'class-and-mean' }],
  ])('is refused by transformers with words for it: %s', async (words, changes) => {
    const config = { ...scaled, ...changes };
    const own = anyModel(config, randomValues(config, 3));
    await expect(exportHuggingFace(folder, own)).rejects.toThrow(words);
    await expect(exportHuggingFace(folder, own)).rejects.toThrow(FormatError);
    disposeTree(own.params);
  });
});
