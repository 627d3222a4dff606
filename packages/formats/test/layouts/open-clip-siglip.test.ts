import { type DualEncoderConfig, dualEncoder } from '@winnow/core';
import type { Checkpoint } from '../../src/checkpoint/checkpoint';
import { correspondences } from '../../src/layouts/correspondence';
import { openClipSiglip, openClipSiglipNaming } from '../../src/layouts/open-clip/siglip';
import { type Fields, changed, describeConfiguration } from './configuration-laws';

const file = 'config.json';

/** ViT-B-16-SigLIP, as open_clip publishes it. */
const published: Fields = {
  model_cfg: {
    ...{ embed_dim: 768, init_logit_bias: -10, custom_text: true },
    vision_cfg: {
      ...{ image_size: 224, timm_model_name: 'vit_base_patch16_siglip_224', timm_model_pretrained: false },
      ...{ timm_pool: 'map', timm_proj: 'none' },
    },
    text_cfg: {
      ...{ context_length: 64, vocab_size: 32000, hf_tokenizer_name: 'timm/ViT-B-16-SigLIP' },
      ...{ tokenizer_kwargs: { clean: 'canonicalize' }, width: 768, heads: 12, layers: 12 },
      ...{ no_causal_mask: true, proj_bias: true, pool_type: 'last', norm_kwargs: { eps: 1e-6 } },
    },
  },
  preprocess_cfg: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], resize_mode: 'squash' },
};

const tower = {
  ...{
    embedDim: 768,
    heads: 12,
    denseHeadDim: 64,
    activation: 'gelu' as const,
    causal: false,
    normEpsilon: 1e-6,
  },
  blocks: Array.from({ length: 12 }, () => ({ headDim: 64, hiddenDim: 3072 })),
} as const;
const ours: DualEncoderConfig = {
  ...{ kind: 'dual-encoder', projectionDim: 768, projections: 'text-alone', loss: 'sigmoid' },
  vision: {
    ...{ imageSize: 224, patchSize: 16, channels: 3, distillation: 'none', classToken: false },
    ...{ embeddingNorm: false, patchBias: true, tower, attentionPool: { headDim: 64, hiddenDim: 3072 } },
  },
  text: { vocabulary: 32_000, context: 64, endToken: 'last', tower },
};
const tensorsOf = (logits: 'scalar' | 'vector'): Checkpoint['tensors'] =>
  new Map(
    correspondences(dualEncoder(ours), openClipSiglipNaming(logits)).map(
      ({ name, shape }) => [name, { dtype: 'float32', shape }] as const,
    ),
  );
const scalar = tensorsOf('scalar');
const read = (json: unknown, tensors = scalar) =>
  openClipSiglip.read(
    {
      ...{ file, bytes: 0, tensors, openClipConfig: { file, json } },
      read: () => Promise.reject(new Error('nothing is read')),
      close: () => Promise.resolve(),
    },
    {},
  );

test('a SigLIP is read as it is published, with scalars or vectors of one number', () => {
  for (const logits of ['scalar', 'vector'] as const) {
    const { config, naming, notes } = read(published, tensorsOf(logits));
    expect(config).toEqual(ours);
    expect(notes).toEqual([]);
    expect(naming('logitBias')).toEqual(openClipSiglipNaming(logits)('logitBias'));
  }
});

test('a text tower of SigLIP 2 has the approximate GELU', () => {
  const json = changed(published, 'model_cfg.text_cfg.act_kwargs', { approximate: 'tanh' });
  expect(read(json).config).toMatchObject({ text: { tower: { activation: 'gelu-tanh' } } });
});

describeConfiguration('of a SigLIP of open_clip', {
  read,
  json: published,
  what: 'a SigLIP of open_clip',
  places: ['', 'model_cfg.', 'model_cfg.vision_cfg.', 'model_cfg.text_cfg.'],
  refused: [
    ['model_cfg.quick_gelu', true],
    ['model_cfg.vision_cfg.timm_model_name', null],
    ['model_cfg.vision_cfg.timm_pool', 'avg'],
    ['model_cfg.vision_cfg.timm_proj', 'linear'],
    ['model_cfg.text_cfg.pool_type', 'argmax'],
    ['model_cfg.text_cfg.no_causal_mask', false],
    ['model_cfg.text_cfg.proj_bias', false],
    ['model_cfg.text_cfg.hf_model_name', 'roberta-base'],
    ['model_cfg.text_cfg.act_kwargs', 'tanh'],
  ],
});

test.each<[string, string, unknown, RegExp]>([
  ['pictures of another size than the positions', 'vision_cfg.image_size', 256, /224 px.*got .*256/],
  ['another width', 'embed_dim', 512, /width of the vision tower, 768, got 512/],
  ['other layers', 'text_cfg.layers', 13, /expected the tensors of 13 layers/],
  ['rotary positions', 'vision_cfg.timm_model_name', 'vit_base_patch16_rope_224', /rotary positions/],
])('%s are refused by name', (_what, path, value, message) => {
  expect(() => read(changed(published, `model_cfg.${path}`, value))).toThrow(message);
});

test('without its configuration it is refused: nothing else says how many heads its towers have', () => {
  const checkpoint: Checkpoint = {
    ...{ file, bytes: 0, tensors: scalar },
    read: () => Promise.reject(new Error('nothing is read')),
    close: () => Promise.resolve(),
  };
  expect(() => openClipSiglip.read(checkpoint, {})).toThrow(
    /expected open_clip_config\.json beside this SigLIP/,
  );
});
