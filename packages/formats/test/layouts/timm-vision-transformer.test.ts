import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Distillation,
  type TowerConfig,
  type VisionTransformerConfig,
  disposeTree,
  modelOf,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { FormatError, importModel, importVisionTransformer } from '../../src/index';
import { correspondences, fromTheirs } from '../../src/layouts/correspondence';
import { timmNaming, timmNamingFor } from '../../src/layouts/timm/vision-transformer';
import { countedValues, theirsOf, writeCheckpoint, zeros } from './checkpoints';
import type { Fields } from './configuration-laws';
import { expectImported, small } from './small-vision-transformer';

const ours = (distillation: Distillation = 'none') => small(distillation, 1e-6);
const theirs = (distillation?: Distillation) => theirsOf(ours(distillation), timmNaming);

describe('the names', () => {
  it('put every value where PyTorch has it', () => {
    const own = countedValues(ours());
    const [D, P, C] = [6, 2, 2];
    const projection = theirs().get('patch_embed.proj.weight');
    expect(projection?.shape).toEqual([D, C, P, P]);
    for (let d = 0; d < D; d++) {
      for (let c = 0; c < C; c++) {
        for (let row = 0; row < P; row++) {
          for (let column = 0; column < P; column++) {
            const here = own.get('patchEmbedding.weight')?.values[((row * P + column) * C + c) * D + d];
            expect(projection?.values[((d * C + c) * P + row) * P + column]).toBe(here);
          }
        }
      }
    }
    const fused = theirs().get('blocks.1.attn.qkv.weight');
    expect(fused?.shape).toEqual([3 * D, D]);
    ['query', 'key', 'value'].forEach((name, part) => {
      for (let out = 0; out < D; out++) {
        for (let input = 0; input < D; input++) {
          const here = own.get(`blocks.1.attention.${name}.weight`)?.values[input * D + out];
          expect(fused?.values[(part * D + out) * D + input]).toBe(here);
        }
      }
    });
  });

  it('read back what they wrote', () => {
    const config = ours('head');
    const table = correspondences({ specs: modelOf(config).specs, config }, timmNaming);
    expect(fromTheirs(table, theirs('head'))).toEqual(countedValues(config));
  });
});

let folder: string;
beforeAll(async () => {
  await startEngine('wasm');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (tensors = theirs(), json: object = { num_heads: 2 }) =>
  writeCheckpoint(folder, tensors, { 'config.json': json });

describe('a ViT or DeiT of timm', () => {
  it.each(['none', 'token', 'head'] as const)('is imported with distillation %s', async (distillation) => {
    const model = ours(distillation);
    await writeCheckpoint(folder, theirs(distillation));
    await expectImported(folder, model, { heads: 2 });
    await write(theirs(distillation), { architecture: 'deit_odd', num_heads: 2 });
    await expectImported(folder, model);
    await write(theirs(distillation), { model_args: { num_heads: 2 } });
    await expectImported(folder, model);
  });

  it('lists a block of fused weights by its own name', async () => {
    const tensors = theirs();
    tensors.delete('blocks.0.attn.qkv.bias');
    await write(tensors);
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      /missing blocks\.0\.attn\.qkv\.bias \[18\]/,
    );
  });

  it.each([
    ['attn_pool.q_norm.weight', 'another attention pooling'],
    ['blocks.0.mlp.w12.weight', 'gated feed-forward networks (SwiGLU)'],
    ['blocks.1.attn.q_norm.weight', 'norms within attention'],
  ])('is refused with %s by its feature: %s', async (name, feature) => {
    await write(theirs().set(name, zeros(6)));
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      `models with ${feature} (${name}) are not supported`,
    );
  });

  it.each<[string, Partial<VisionTransformerConfig>, Partial<TowerConfig>, Fields]>([
    ['layer scale', {}, { layerScale: 1e-5 }, {}],
    ['registers that have positions', { registers: 2 }, {}, {}],
    ['positions of the patches alone', { registers: 1, positioned: 'patches' }, {}, { no_embed_class: true }],
    ['the mean of its patches', { headInput: 'mean' }, {}, { global_pool: 'avg' }],
    ['a norm after the mean', { headInput: 'mean', normAfterMean: true }, {}, {}],
    ['no class token', { classToken: false, headInput: 'mean' }, {}, {}],
    ['no biases of queries, keys and values', {}, { inputBias: false }, { qkv_bias: false }],
    [
      "CLIP's norm, and no bias of patches",
      { embeddingNorm: true, patchBias: false },
      { normEpsilon: 1e-5 },
      {},
    ],
  ])('is imported with %s', async (_, changes, tower, model_args) => {
    const model: VisionTransformerConfig = { ...ours(), ...changes, tower: { ...ours().tower, ...tower } };
    const naming = timmNamingFor({
      hasMeanNorm: model.normAfterMean === true,
      layerScale: 'ls1.gamma',
    });
    await write(theirsOf(model, naming), { num_heads: 2, model_args });
    await expectImported(folder, model);
  });

  it.each<[string, Fields]>([
    ['its arguments', { model_args: { num_heads: 2, img_size: [8, 2] } }],
    ['an older configuration', { num_heads: 2, img_size: [8, 2], input_size: [2, 8, 2] }],
    ['its fixed input', { num_heads: 2, pretrained_cfg: { input_size: [2, 8, 2], fixed_input_size: true } }],
  ])('is one of rectangles where %s say so, even of as many patches as a square has', async (_, json) => {
    const model: VisionTransformerConfig = { ...ours(), imageSize: { height: 8, width: 2 } };
    await write(theirsOf(model, timmNaming), json);
    await expectImported(folder, model);
  });

  it('is one of squares where its input is only an example', async () => {
    await write(theirs(), {
      num_heads: 2,
      pretrained_cfg: { input_size: [2, 8, 2], fixed_input_size: false },
    });
    await expectImported(folder, ours());
  });

  it('is refused with rectangles that nothing names, or that have another number of patches', async () => {
    const model: VisionTransformerConfig = { ...ours(), imageSize: { height: 10, width: 2 } };
    await write(theirsOf(model, timmNaming), { num_heads: 2 });
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      /expected positions for a square picture, .*, got 5 patches/,
    );
    await write(theirs(), { model_args: { num_heads: 2, img_size: [8, 4] } });
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      /at model_args\.img_size: expected 4, as the tensors have it, got 8 × 4/,
    );
  });

  it('has positions for the patches alone where their number says so', async () => {
    const model: VisionTransformerConfig = { ...ours(), registers: 1, positioned: 'patches' };
    await write(theirsOf(model, timmNaming), { num_heads: 2 });
    await expectImported(folder, model);
  });

  it('is refused where it has not what its configuration says', async () => {
    for (const [field, value] of Object.entries({
      class_token: false,
      reg_tokens: 2,
      init_values: 1e-5,
      qkv_bias: false,
      pre_norm: true,
      fc_norm: true,
    })) {
      await write(theirs(), { num_heads: 2, model_args: { [field]: value } });
      await expect(importVisionTransformer(folder)).rejects.toThrow(`at model_args.${field}: expected `);
    }
    const tensors = theirs();
    tensors.delete('cls_token');
    await write(tensors, { num_heads: 2, model_args: { global_pool: 'token', no_embed_class: true } });
    await expect(importVisionTransformer(folder)).rejects.toThrow(FormatError);
  });

  it('has the activation, and is refused with the pooling, that it was made with', async () => {
    await write(theirs(), { num_heads: 2, model_args: { act_layer: 'quick_gelu' } });
    const { model, params } = await importVisionTransformer(folder);
    expect(model.config.tower).toEqual({ ...ours().tower, activation: 'quick-gelu' });
    disposeTree(params);
    await write(theirs(), { num_heads: 2, model_args: { global_pool: 'avgmax' } });
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      /at model_args\.global_pool: expected token, avg or map/,
    );
    await write(theirs(), { num_heads: 2, global_pool: 'max' });
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      /at global_pool: expected token, avg or map/,
    );
    await write(theirs(), { num_heads: 2, global_pool: 'map' });
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      /expected the tensors of an attention pool \(attn_pool\.latent\), as global_pool says, got none/,
    );
  });

  it('starts a fresh classifier where one is missing, if that is asked for', async () => {
    const missingHead = { classes: 5, seed: 3 };
    await write();
    const whole = await importModel(folder, { missingHead });
    expect([whole.hasFreshHead, whole.model.config]).toEqual([false, ours()]);
    const tensors = theirs();
    tensors.delete('head.weight');
    tensors.delete('head.bias');
    await write(tensors);
    const headless = await importModel(folder, { missingHead });
    expect([headless.hasFreshHead, headless.model.config]).toEqual([true, { ...ours(), classes: 5 }]);
    disposeTree([whole.params, headless.params]);
  });

  it('needs to be told its heads where nothing else says them', async () => {
    await writeCheckpoint(folder, theirs());
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      /number of attention heads .* option `heads`/,
    );
    await expect(importVisionTransformer(folder, { heads: 4 })).rejects.toThrow(/multiple of 4 heads, got 6/);
  });
});
