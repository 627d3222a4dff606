import { type TimmShapes, readTimmConfig } from '../../src/layouts/timm/fields';
import { type Fields, changed, describeConfiguration } from './configuration-laws';

const weights: Fields = {
  ...{ tag: 'augreg2_in21k_ft_in1k', custom_load: false, input_size: [3, 224, 224], fixed_input_size: true },
  ...{ interpolation: 'bicubic', crop_pct: 0.9, crop_mode: 'center', mean: [0.5, 0.5, 0.5] },
  ...{ std: [0.5, 0.5, 0.5], num_classes: 1000, pool_size: null, first_conv: 'patch_embed.proj' },
  ...{ classifier: 'head', license: 'apache-2.0' },
};
const published: Fields = {
  architecture: 'vit_base_patch16_224',
  num_classes: 1000,
  num_features: 768,
  global_pool: 'token',
  pretrained_cfg: weights,
};
const withArguments: Fields = {
  ...published,
  label_names: ['cat', 'dog'],
  label_descriptions: { cat: 'a cat', dog: 'a dog' },
  model_args: {
    ...{ img_size: [224, 224], patch_size: 16, in_chans: 3, embed_dim: 768, depth: 12, num_heads: 12 },
    ...{ mlp_ratio: 4.0, num_classes: 2, global_pool: 'token', dynamic_img_size: true, act_layer: null },
    ...{ drop_path_rate: 0.1, init_values: null, weight_init: '' },
  },
};
const old: Fields = {
  ...{ architecture: 'vit_base_patch16_224', num_features: 768, url: '', hf_hub_id: 'timm/vit', labels: [] },
  ...{ num_classes: 1000, input_size: [3, 224, 224], pool_size: null, crop_pct: 0.9 },
  ...{ interpolation: 'bicubic', fixed_input_size: true, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  ...{ first_conv: 'patch_embed.proj', classifier: 'head' },
};
const shapes: TimmShapes = {
  imageSize: 224,
  patchSize: 16,
  channels: 3,
  embedDim: 768,
  layers: 12,
  hiddenDim: 3072,
  hasClassToken: true,
  registers: 0,
  hasLayerScale: false,
  hasInputBias: true,
  hasEmbeddingNorm: false,
  hasMeanNorm: false,
};
const read = (json: unknown) => readTimmConfig({ file: 'config.json', json }, shapes);

test('configurations as they are published are read, with all that they have', () => {
  expect(read(published)).toEqual({
    architecture: 'vit_base_patch16_224',
    heads: undefined,
    activation: undefined,
    pool: 'token',
    layerScale: undefined,
  });
  expect(read(withArguments)).toMatchObject({ heads: 12 });
  expect(read(old)).toMatchObject({ architecture: 'vit_base_patch16_224' });
  expect(read(changed(withArguments, 'model_args.act_layer', 'quick_gelu')).activation).toBe('quick-gelu');
});

describeConfiguration('of timm, with arguments', {
  read,
  json: withArguments,
  what: 'a ViT or DeiT of timm',
  places: ['', 'model_args.', 'pretrained_cfg.'],
  refused: [
    ['global_pool', 'avgmax'],
    ['model_args.global_pool', 'avgmax'],
    ['model_args.img_size', [64, 16]],
    ['model_args.img_size', 384],
    ['model_args.patch_size', 32],
    ['model_args.embed_dim', 192],
    ['model_args.depth', 6],
    ['model_args.in_chans', 1],
    ['model_args.mlp_ratio', 3],
    ['model_args.act_layer', 'relu'],
    ['model_args.qkv_bias', false],
    ['model_args.qk_norm', true],
    ['model_args.init_values', 1e-5],
    ['model_args.class_token', false],
    ['model_args.reg_tokens', 4],
    ['model_args.pre_norm', true],
    ['model_args.fc_norm', true],
    ['model_args.norm_layer', 'rmsnorm'],
    ['pretrained_cfg.input_size', [1, 224, 224]],
  ],
});

describeConfiguration('of an older timm', {
  read,
  json: old,
  what: 'a ViT or DeiT of timm',
  places: [''],
  refused: [
    ['input_size', [3, 64, 16]],
    ['input_size', [3, 384, 384]],
    ['global_pool', 'avgmax'],
  ],
});
