import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Distillation,
  type HostTensor,
  type VisionTransformer,
  type VisionTransformerParams,
  disposeTree,
  downloadTree,
  initialize,
  uploadTree,
  visionTransformer,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { correspondences, fromTheirs, toTheirs } from '../src/checkpoint/correspondence';
import { huggingFaceNaming } from '../src/hugging-face/vision-transformer-naming';
import {
  FormatError,
  exportHuggingFace,
  importModel,
  importVisionTransformer,
  writeSafetensors,
} from '../src/index';
import { timmNaming } from '../src/timm/vision-transformer-naming';

/** Two blocks of width 6 with two heads, on pictures of 4 × 4 pixels in patches of 2, two channels. */
const small = (distillation: Distillation, normEpsilon: number): VisionTransformer =>
  visionTransformer({
    kind: 'vision-transformer',
    imageSize: 4,
    patchSize: 2,
    channels: 2,
    classes: 3,
    distillation,
    embeddingNorm: false,
    patchBias: true,
    tower: {
      embedDim: 6,
      heads: 2,
      denseHeadDim: 3,
      activation: 'gelu',
      causal: false,
      normEpsilon,
      blocks: [
        { headDim: 3, hiddenDim: 10 },
        { headDim: 3, hiddenDim: 10 },
      ],
    },
  });

const huggingFaceConfig = {
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

let folder: string;
beforeAll(async () => {
  await startEngine('wasm');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Parameters where every value is another, so that any mix-up shows. */
async function valuesOf({ specs }: VisionTransformer): Promise<Map<string, HostTensor>> {
  const params = initialize<never>(specs, 1);
  const tensors = await downloadTree(params);
  disposeTree(params);
  let next = 0;
  for (const { values } of tensors.values()) for (let i = 0; i < values.length; i++) values[i] = next++;
  return tensors;
}

async function writeCheckpoint(tensors: ReadonlyMap<string, HostTensor>, config?: object): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  if (config !== undefined) await writeFile(join(folder, 'config.json'), JSON.stringify(config));
}

async function huggingFaceTensors(
  model: VisionTransformer,
  prefix = 'vit.',
  style: 'encoder.layer' | 'layers' = 'encoder.layer',
): Promise<Map<string, HostTensor>> {
  const { distillation } = model.config;
  const table = correspondences(model, huggingFaceNaming({ prefix, style, distillation }));
  return toTheirs(table, await valuesOf(model));
}

const timmTensors = async (model: VisionTransformer) =>
  toTheirs(correspondences(model, timmNaming), await valuesOf(model));

/** Imports what was written, and expects the very values of `valuesOf`. */
async function expectImported(expected: VisionTransformer, ...options: { heads?: number }[]): Promise<void> {
  const { model, params, leftOut } = await importVisionTransformer(folder, ...options);
  expect(model.config).toEqual(expected.config);
  expect(await downloadTree(params)).toEqual(await valuesOf(expected));
  expect(leftOut).toEqual([]);
  disposeTree(params);
}

describe('the table of names', () => {
  it('puts every value where PyTorch has it', async () => {
    const model = small('none', 1e-6);
    const ours = await valuesOf(model);
    const theirs = await timmTensors(model);
    const [D, P, C] = [6, 2, 2];
    const projection = theirs.get('patch_embed.proj.weight');
    expect(projection?.shape).toEqual([D, C, P, P]);
    for (let d = 0; d < D; d++) {
      for (let c = 0; c < C; c++) {
        for (let row = 0; row < P; row++) {
          for (let column = 0; column < P; column++) {
            const here = ours.get('patchEmbedding.weight')?.values[((row * P + column) * C + c) * D + d];
            expect(projection?.values[((d * C + c) * P + row) * P + column]).toBe(here);
          }
        }
      }
    }
    const fused = theirs.get('blocks.1.attn.qkv.weight');
    expect(fused?.shape).toEqual([3 * D, D]);
    ['query', 'key', 'value'].forEach((name, part) => {
      for (let out = 0; out < D; out++) {
        for (let input = 0; input < D; input++) {
          const here = ours.get(`blocks.1.attention.${name}.weight`)?.values[input * D + out];
          expect(fused?.values[(part * D + out) * D + input]).toBe(here);
        }
      }
    });
  });

  it('reads back what it wrote', async () => {
    const model = small('head', 1e-6);
    const table = correspondences(model, timmNaming);
    expect(fromTheirs(table, await timmTensors(model))).toEqual(await valuesOf(model));
  });
});

describe('importVisionTransformer', () => {
  it.each(['encoder.layer', 'layers'] as const)('reads Hugging Face names of the style %s', async (style) => {
    const model = small('none', 1e-12);
    await writeCheckpoint(await huggingFaceTensors(model, 'vit.', style), huggingFaceConfig);
    await expectImported(model);
  });

  it.each([
    ['token', 'DeiTForImageClassification'],
    ['head', 'DeiTForImageClassificationWithTeacher'],
  ] as const)('reads a DeiT with a distillation %s', async (distillation, architecture) => {
    const model = small(distillation, 1e-12);
    await writeCheckpoint(await huggingFaceTensors(model, 'deit.'), {
      ...huggingFaceConfig,
      model_type: 'deit',
      architectures: [architecture],
    });
    await expectImported(model);
  });

  it.each(['none', 'token', 'head'] as const)(
    'reads timm weights with distillation %s',
    async (distillation) => {
      const model = small(distillation, 1e-6);
      await writeCheckpoint(await timmTensors(model));
      await expectImported(model, { heads: 2 });
      await writeCheckpoint(await timmTensors(model), { architecture: 'deit_odd', num_heads: 2 });
      await expectImported(model);
      await writeCheckpoint(await timmTensors(model), { model_args: { num_heads: 2 } });
      await expectImported(model);
    },
  );

  it('starts a fresh classifier, and leaves the old one and the pooler out', async () => {
    const model = small('none', 1e-12);
    const tensors = await huggingFaceTensors(model);
    tensors.set('vit.pooler.dense.weight', { dtype: 'float32', shape: [6, 6], values: new Float32Array(36) });
    await writeCheckpoint(tensors, huggingFaceConfig);
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
    expect(values.get('norm.weight')).toEqual((await valuesOf(model)).get('norm.weight'));
    disposeTree([imported.params, fresh]);
  });

  it('reads a bare encoder (no prefix, no classifier) only with a fresh classifier', async () => {
    const tensors = await huggingFaceTensors(small('none', 1e-12), '');
    tensors.delete('classifier.weight');
    tensors.delete('classifier.bias');
    await writeCheckpoint(tensors, { ...huggingFaceConfig, architectures: ['ViTModel'] });
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      /expected a classifier classifier\.weight with a row per class, got none; a fresh one .*option `newHead`/,
    );
    const { params } = await importVisionTransformer(folder, { newHead: { classes: 2, seed: 1 } });
    expect(params.head.weight.shape).toEqual([6, 2]);
    disposeTree(params);
  });

  it('lists missing, extra and misshapen tensors by their own names', async () => {
    const tensors = await huggingFaceTensors(small('none', 1e-12));
    tensors.delete('vit.encoder.layer.1.output.dense.bias');
    tensors.set('vit.more', { dtype: 'float32', shape: [1], values: Float32Array.of(1) });
    tensors.set('vit.layernorm.bias', { dtype: 'float32', shape: [5], values: new Float32Array(5) });
    tensors.set('vit.layernorm.weight', { dtype: 'int32', shape: [6], values: new Int32Array(6) });
    await writeCheckpoint(tensors, huggingFaceConfig);
    const failure = importVisionTransformer(folder);
    await expect(failure).rejects.toThrow(FormatError);
    await expect(failure).rejects.toThrow(/missing vit\.encoder\.layer\.1\.output\.dense\.bias \[6\]/);
    await expect(failure).rejects.toThrow(/extra vit\.more \[1\]/);
    await expect(failure).rejects.toThrow(/vit\.layernorm\.bias: expected \[6\], got \[5\]/);
    await expect(failure).rejects.toThrow(/vit\.layernorm\.weight: expected floating-point values/);
  });

  it('lists a block of fused weights by its timm name', async () => {
    const tensors = await timmTensors(small('none', 1e-6));
    tensors.delete('blocks.0.attn.qkv.bias');
    await writeCheckpoint(tensors);
    await expect(importVisionTransformer(folder, { heads: 2 })).rejects.toThrow(
      /missing blocks\.0\.attn\.qkv\.bias \[18\]/,
    );
  });

  it.each([
    [{ qkv_bias: false }, /at qkv_bias: expected true/],
    [{ hidden_act: 'gelu_new' }, /at hidden_act/],
    [{ model_type: 'swin' }, /at model_type/],
    [{ image_size: 5 }, /at image_size: expected a multiple of patch_size/],
    [{ num_attention_heads: 4 }, /at hidden_size: expected a multiple of num_attention_heads/],
  ])('refuses the Hugging Face configuration %j', async (fields, message) => {
    await writeCheckpoint(await huggingFaceTensors(small('none', 1e-12)), {
      ...huggingFaceConfig,
      ...fields,
    });
    await expect(importVisionTransformer(folder)).rejects.toThrow(FormatError);
    await expect(importVisionTransformer(folder)).rejects.toThrow(message);
  });

  it.each([
    ['blocks.0.ls1.gamma', 'layer scale'],
    ['reg_token', 'register tokens'],
    ['norm_pre.weight', 'a norm before the first block'],
    ['fc_norm.weight', 'a norm after pooling'],
    ['blocks.1.attn.q_norm.weight', 'norms within attention'],
  ])('refuses a timm model with %s by its feature: %s', async (name, feature) => {
    const tensors = await timmTensors(small('none', 1e-6));
    await writeCheckpoint(tensors.set(name, { dtype: 'float32', shape: [6], values: new Float32Array(6) }));
    await expect(importVisionTransformer(folder, { heads: 2 })).rejects.toThrow(
      `models with ${feature} (${name}) are not supported`,
    );
  });

  it('refuses models like a ViT by their feature, and models without a class token', async () => {
    await writeCheckpoint(await huggingFaceTensors(small('none', 1e-12)), {
      ...huggingFaceConfig,
      model_type: 'dinov2',
    });
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      /at model_type: expected vit or deit, got "dinov2": models with layer scale are not supported/,
    );
    const tensors = await timmTensors(small('none', 1e-6));
    tensors.delete('cls_token');
    await writeCheckpoint(tensors);
    await expect(importVisionTransformer(folder)).rejects.toThrow(/models without a class token/);
  });

  it('has the activation, and refuses the pooling, that timm made the model with', async () => {
    const model = small('none', 1e-6);
    const quick = { num_heads: 2, model_args: { act_layer: 'quick_gelu' } };
    await writeCheckpoint(await timmTensors(model), quick);
    const { model: imported, params } = await importVisionTransformer(folder);
    expect(imported.config.tower).toEqual({ ...model.config.tower, activation: 'quick-gelu' });
    disposeTree(params);
    await writeCheckpoint(await timmTensors(model), { num_heads: 2, model_args: { global_pool: 'avg' } });
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      /at model_args\.global_pool: expected token/,
    );
  });

  it('starts a fresh classifier where one is missing, if that is asked for', async () => {
    const model = small('none', 1e-6);
    const missingHead = { classes: 5, seed: 3 };
    await writeCheckpoint(await timmTensors(model), { num_heads: 2 });
    const whole = await importModel(folder, { missingHead });
    expect([whole.hasFreshHead, whole.model.config]).toEqual([false, model.config]);
    const tensors = await timmTensors(model);
    tensors.delete('head.weight');
    tensors.delete('head.bias');
    await writeCheckpoint(tensors, { num_heads: 2 });
    const headless = await importModel(folder, { missingHead });
    expect([headless.hasFreshHead, headless.model.config]).toEqual([true, { ...model.config, classes: 5 }]);
    disposeTree([whole.params, headless.params]);
  });

  it('says what else is missing', async () => {
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      /model\.safetensors: there is no such file/,
    );
    await writeCheckpoint(await huggingFaceTensors(small('none', 1e-12)));
    await expect(importVisionTransformer(folder)).rejects.toThrow(/expected a config\.json beside/);
    await writeCheckpoint(await timmTensors(small('none', 1e-6)));
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      /number of attention heads .* option `heads`/,
    );
    await expect(importVisionTransformer(folder, { heads: 4 })).rejects.toThrow(/multiple of 4 heads, got 6/);
    await writeCheckpoint(await timmTensors(small('none', 1e-6)), { num_heads: 2, global_pool: 'avg' });
    await expect(importVisionTransformer(folder)).rejects.toThrow(/at global_pool: expected token/);
    await writeCheckpoint(new Map([['a', { dtype: 'float32', shape: [1], values: Float32Array.of(1) }]]));
    await expect(importVisionTransformer(folder)).rejects.toThrow(
      /expected a ViT or DeiT .* got tensors like a/,
    );
  });
});

describe('exportHuggingFace', () => {
  it.each(['none', 'token', 'head'] as const)(
    'writes what is imported again, distillation %s',
    async (distillation) => {
      const model = small(distillation, 1e-12);
      const params = uploadTree<VisionTransformerParams>(model.specs, await valuesOf(model));
      await exportHuggingFace(folder, { model, params });
      disposeTree(params);
      await expectImported(model);
    },
  );

  it('refuses layers of different sizes, and parameters of another model, and writes nothing', async () => {
    const dense = small('none', 1e-12);
    const cut = dense.shrink({
      version: 1,
      sites: { 'blocks.1.ffn': { kind: 'keep', kept: [0, 4], units: 10 } },
    });
    const params = initialize<VisionTransformerParams>(dense.specs, 1);
    await expect(exportHuggingFace(folder, { model: cut, params })).rejects.toThrow(
      /expected 2 heads of 3 and 10 hidden units in every layer, got heads of 3 and 2 hidden units in layer 1/,
    );
    await expect(exportHuggingFace(folder, { model: small('token', 1e-12), params })).rejects.toThrow(
      /missing distillationToken/,
    );
    expect(await readdir(folder)).toEqual([]);
    disposeTree(params);
  });
});
