import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DualEncoderConfig, HostTensor } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { FormatError, importModel } from '../../src/index';
import { openClipNaming, readOpenClipConfig } from '../../src/layouts/open-clip/dual-encoder';
import { writeCheckpoint } from './checkpoints';
import { type Fields, changed, describeConfiguration } from './configuration-laws';
import { D, dual, expectClip, theirClip, valueAt, values } from './small-clip';

const published: Fields = {
  model_cfg: {
    embed_dim: 512,
    quick_gelu: true,
    vision_cfg: {
      image_size: 224,
      layers: 12,
      width: 768,
      patch_size: 32,
      timm_drop: 0.0,
      patch_dropout: 0.5,
    },
    text_cfg: {
      ...{ context_length: 77, vocab_size: 49408, width: 512, heads: 8, layers: 12, pad_id: 0 },
      ...{ hf_tokenizer_name: 'openai/clip-vit-base-patch32', norm_kwargs: { eps: 1e-5 } },
    },
  },
  preprocess_cfg: { mean: [0, 0, 0], std: [1, 1, 1], interpolation: 'bicubic', resize_mode: 'shortest' },
};
/** Twelve layers of both towers. */
const layers = new Map(
  ['visual.transformer.resblocks', 'transformer.resblocks'].flatMap((prefix) =>
    Array.from({ length: 12 * 12 }, (_, i) => [
      `${prefix}.${Math.floor(i / 12)}.t${i % 12}`,
      { dtype: 'float32', shape: [1] } as const,
    ]),
  ),
);
const file = 'config.json';
const read = (json: unknown) => readOpenClipConfig({ file, tensors: layers }, { file, json });

test('configurations as they are published are read, with all that they have', () => {
  expect(read(published)).toMatchObject({ projectionDim: 512, vision: { patchSize: 32 } });
  expect(read(changed(published, 'model_cfg.vision_cfg.image_size', [224, 448]))).toMatchObject({
    vision: { imageSize: { height: 224, width: 448 } },
  });
});

describeConfiguration('of open_clip', {
  read,
  json: published,
  what: 'a CLIP of open_clip',
  places: ['', 'model_cfg.', 'model_cfg.vision_cfg.', 'model_cfg.text_cfg.'],
  refused: [
    ['model_cfg.custom_text', true],
    ['model_cfg.init_logit_bias', -10],
    ['model_cfg.vision_cfg.image_size', [224, 450]],
    ['model_cfg.vision_cfg.ls_init_value', 1e-4],
    ['model_cfg.vision_cfg.attentional_pool', true],
    ['model_cfg.vision_cfg.no_ln_pre', true],
    ['model_cfg.vision_cfg.qk_norm', true],
    ['model_cfg.text_cfg.embed_cls', true],
    ['model_cfg.text_cfg.proj_bias', true],
    ['model_cfg.text_cfg.norm_kwargs', { eps: 1e-6, elementwise_affine: false }],
  ],
});

test('layers that a configuration speaks of and that are not there are an error before anything is built for them', () => {
  for (const count of [11, 13, 100_000, 1_000_000_000]) {
    for (const tower of ['vision', 'text']) {
      expect(() => read(changed(published, `model_cfg.${tower}_cfg.layers`, count))).toThrow(
        `expected the tensors of ${count} layers`,
      );
    }
  }
});

const config = {
  embed_dim: 5,
  quick_gelu: true,
  vision_cfg: { image_size: 4, patch_size: 2, layers: 1, width: D, mlp_ratio: 6 / D },
  text_cfg: { context_length: 4, vocab_size: 9, width: 64, heads: 1, layers: 1, mlp_ratio: 7 / 64 },
};
/** As open_clip and OpenAI's code read it: they know no other end than the greatest token. */
const ours: DualEncoderConfig = { ...dual, text: { ...dual.text, endToken: 'greatest' } };

const names = openClipNaming({ textProjection: 'parameter', logitScale: 'scalar' });
const theirs = () => theirClip(dual, names);
const integer = (value: number): HostTensor => ({ dtype: 'int32', shape: [], values: Int32Array.of(value) });

let folder: string;
beforeAll(async () => {
  await startEngine('wasm');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (tensors = theirs(), model_cfg: object = config) =>
  writeCheckpoint(folder, tensors, { 'open_clip_config.json': { model_cfg } });

describe('the names', () => {
  const own = values['dual-encoder'];

  it('put projections and tokens where PyTorch has them', () => {
    const tensors = theirs();
    for (let d = 0; d < D; d++) {
      for (let p = 0; p < 5; p++) {
        expect(valueAt(tensors, 'visual.proj', d, p)).toBe(valueAt(own, 'visionProjection', d, p));
      }
    }
    for (let d = 0; d < 64; d++) {
      expect(valueAt(tensors, 'text_projection', d, 2)).toBe(valueAt(own, 'textProjection', d, 2));
      expect(valueAt(tensors, 'token_embedding.weight', 3, d)).toBe(
        valueAt(own, 'text.tokenEmbedding', 3, d),
      );
    }
  });

  it('put query, key and value one below the other', () => {
    const tensors = theirs();
    for (const [part, name] of ['query', 'key', 'value'].entries()) {
      for (let out = 0; out < D; out++) {
        const fused = 'visual.transformer.resblocks.0.attn.in_proj_';
        expect(valueAt(tensors, `${fused}weight`, part * D + out, 3)).toBe(
          valueAt(own, `vision.blocks.0.attention.${name}.weight`, 3, out),
        );
        expect(valueAt(tensors, `${fused}bias`, part * D + out)).toBe(
          valueAt(own, `vision.blocks.0.attention.${name}.bias`, out),
        );
      }
    }
  });
});

describe('a CLIP of open_clip', () => {
  it('is imported with its configuration', async () => {
    await write();
    expect(await expectClip(folder, ours)).toEqual([]);
  });

  it('ends texts with the token that its configuration names, where it does', async () => {
    await write(theirs(), { ...config, text_cfg: { ...config.text_cfg, pool_type: 'eos', eos_id: 8 } });
    expect(await expectClip(folder, dual)).toEqual([]);
  });

  it('may have a linear layer as its text projection, and a scale with an axis', async () => {
    const tensors = theirClip(dual, openClipNaming({ textProjection: 'linear', logitScale: 'vector' }));
    expect(tensors.get('text_projection.weight')?.shape).toEqual([5, 64]);
    expect(tensors.get('logit_scale')?.shape).toEqual([1]);
    await write(tensors);
    expect(await expectClip(folder, ours)).toEqual([]);
  });

  it("needs no configuration in the form of OpenAI's own files, which hold numbers beside the weights", async () => {
    const tensors = theirs();
    tensors.set('input_resolution', integer(4));
    tensors.set('context_length', integer(4));
    tensors.set('vocab_size', integer(9));
    await writeCheckpoint(folder, tensors);
    const reason = 'the shapes of the weights say it';
    expect(await expectClip(folder, ours)).toEqual([
      `input_resolution: ${reason}`,
      `context_length: ${reason}`,
      `vocab_size: ${reason}`,
    ]);
  });

  it('needs to be told its activation where nothing else says it', async () => {
    await writeCheckpoint(folder, theirs());
    await expect(importModel(folder)).rejects.toThrow(
      /whether this CLIP needs quick-GELU .* option `activation`/,
    );
    await expectClip(folder, ours, { activation: 'quick-gelu' });
  });

  const { vision_cfg, text_cfg } = config;
  it.each([
    [{ vision_cfg: { ...vision_cfg, layers: [3, 4, 6, 3] } }, /at model_cfg\.vision_cfg\.layers: .*ResNets/],
    [{ vision_cfg: { ...vision_cfg, timm_model_name: 'a' } }, /vision_cfg\.timm_model_name: expected null/],
    [{ vision_cfg: { ...vision_cfg, pool_type: 'avg' } }, /vision_cfg\.pool_type: expected tok/],
    [
      { vision_cfg: { ...vision_cfg, head_width: 48 } },
      /vision_cfg\.width: expected a multiple of head_width/,
    ],
    [{ text_cfg: { ...text_cfg, no_causal_mask: true } }, /text_cfg\.no_causal_mask: expected false/],
    [
      { text_cfg: { ...text_cfg, act_kwargs: { approximate: 'tanh' } } },
      /text_cfg\.act_kwargs: expected null/,
    ],
    [{ text_cfg: { ...text_cfg, pool_type: 'last' } }, /text_cfg\.pool_type: expected argmax or eos/],
  ])('is refused where its configuration says %j', async (fields, message) => {
    await write(theirs(), { ...config, ...fields });
    const failure = importModel(folder);
    await expect(failure).rejects.toThrow(FormatError);
    await expect(failure).rejects.toThrow(message);
  });
});
