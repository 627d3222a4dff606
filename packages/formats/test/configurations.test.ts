import { fromOpenClipConfig } from '../src/open-clip/clip-config';
import { readClipConfig } from '../src/hugging-face/clip-config';
import { readHuggingFaceConfig } from '../src/hugging-face/vision-transformer-config';
import { FormatError } from '../src/index';
import { type TimmShapes, readTimmConfig } from '../src/timm/configuration';

type Fields = Readonly<Record<string, unknown>>;

/** Every field that `transformers` 4 wrote for a part of a model. */
const everyField: Fields = {
  ...{ _name_or_path: '', add_cross_attention: false, architectures: null, bad_words_ids: null },
  ...{ begin_suppress_tokens: null, bos_token_id: null, chunk_size_feed_forward: 0 },
  ...{ cross_attention_hidden_size: null, decoder_start_token_id: null, diversity_penalty: 0.0 },
  ...{ do_sample: false, early_stopping: false, encoder_no_repeat_ngram_size: 0 },
  ...{ exponential_decay_length_penalty: null, finetuning_task: null, forced_bos_token_id: null },
  ...{ forced_eos_token_id: null, id2label: { '0': 'LABEL_0', '1': 'LABEL_1' }, is_decoder: false },
  ...{ is_encoder_decoder: false, label2id: { LABEL_0: 0, LABEL_1: 1 }, length_penalty: 1.0 },
  ...{ max_length: 20, min_length: 0, no_repeat_ngram_size: 0, num_beam_groups: 1, num_beams: 1 },
  ...{ num_return_sequences: 1, output_attentions: false, output_hidden_states: false },
  ...{ output_scores: false, pad_token_id: null, prefix: null, problem_type: null, pruned_heads: {} },
  ...{ remove_invalid_values: false, repetition_penalty: 1.0, return_dict: true },
  ...{ return_dict_in_generate: false, sep_token_id: null, suppress_tokens: null },
  ...{ task_specific_params: null, temperature: 1.0, tf_legacy_loss: false, tie_encoder_decoder: false },
  ...{ tie_word_embeddings: true, tokenizer_class: null, top_k: 50, top_p: 1.0, torch_dtype: null },
  ...{ torchscript: false, transformers_version: '4.31.0', typical_p: 1.0, use_bfloat16: false },
};

const vit: Fields = {
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

const clip: Fields = {
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

const text: Fields = {
  architectures: ['CLIPTextModelWithProjection'],
  ...{ attention_dropout: 0.0, bos_token_id: 0, dropout: 0.0, eos_token_id: 2, hidden_act: 'gelu' },
  ...{ hidden_size: 1280, initializer_factor: 1.0, initializer_range: 0.02, intermediate_size: 5120 },
  ...{ layer_norm_eps: 1e-5, max_position_embeddings: 77, model_type: 'clip_text_model' },
  ...{ num_attention_heads: 20, num_hidden_layers: 32, pad_token_id: 1, projection_dim: 1280 },
  ...{ torch_dtype: 'float16', transformers_version: '4.32.0.dev0', vocab_size: 49408 },
};

const weights: Fields = {
  ...{ tag: 'augreg2_in21k_ft_in1k', custom_load: false, input_size: [3, 224, 224], fixed_input_size: true },
  ...{ interpolation: 'bicubic', crop_pct: 0.9, crop_mode: 'center', mean: [0.5, 0.5, 0.5] },
  ...{ std: [0.5, 0.5, 0.5], num_classes: 1000, pool_size: null, first_conv: 'patch_embed.proj' },
  ...{ classifier: 'head', license: 'apache-2.0' },
};
const timm: Fields = {
  architecture: 'vit_base_patch16_224',
  num_classes: 1000,
  num_features: 768,
  global_pool: 'token',
  pretrained_cfg: weights,
};
const timmWithArguments: Fields = {
  ...timm,
  label_names: ['cat', 'dog'],
  label_descriptions: { cat: 'a cat', dog: 'a dog' },
  model_args: {
    ...{ img_size: [224, 224], patch_size: 16, in_chans: 3, embed_dim: 768, depth: 12, num_heads: 12 },
    ...{ mlp_ratio: 4.0, num_classes: 2, global_pool: 'token', dynamic_img_size: true, act_layer: null },
    ...{ drop_path_rate: 0.1, init_values: null, weight_init: '' },
  },
};
const oldTimm: Fields = {
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
};

const openClip: Fields = {
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
const readers = {
  transformers: (json: unknown) => readHuggingFaceConfig({ file, json }),
  clip: (json: unknown) => readClipConfig({ file, json }),
  timm: (json: unknown) => readTimmConfig({ file, json }, shapes),
  openClip: (json: unknown) => fromOpenClipConfig({ file, tensors: layers }, { file, json }),
};

/** A copy with another value at a path. */
function changed(json: Fields, path: string, value: unknown): Fields {
  const [first = '', ...rest] = path.split('.');
  const inner = json[first];
  const next = typeof inner === 'object' && inner !== null ? { ...inner } : {};
  return { ...json, [first]: rest.length === 0 ? value : changed(next, rest.join('.'), value) };
}

describe('configurations as they are published', () => {
  it('are read, with all that they have', () => {
    const distilled = ['DeiTForImageClassificationWithTeacher'];
    expect(readers.transformers(vit)).toMatchObject({ hidden_size: 768, image_size: 224 });
    expect(readers.transformers({ ...everyField, ...vit })).toMatchObject({ patch_size: 16 });
    expect(readers.transformers({ ...vit, model_type: 'deit', architectures: distilled })).toMatchObject({
      model_type: 'deit',
    });
    expect(readers.transformers({ ...vit, image_size: [224, 224], patch_size: [16, 16] })).toMatchObject({
      image_size: 224,
      patch_size: 16,
    });
    expect(readers.clip(clip)).toMatchObject({ kind: 'dual-encoder', text: { eos_token_id: 2 } });
    expect(
      readers.clip({
        ...clip,
        text_config_dict: { hidden_size: 768 },
        vision_config_dict: { patch_size: 14 },
      }),
    ).toMatchObject({ text: { hidden_size: 768 }, vision: { patch_size: 14 } });
    expect(readers.clip(text)).toMatchObject({ kind: 'clip-text', text: { projection_dim: 1280 } });
    expect(readers.timm(timm)).toEqual({
      architecture: 'vit_base_patch16_224',
      heads: undefined,
      activation: undefined,
    });
    expect(readers.timm(timmWithArguments)).toMatchObject({ heads: 12 });
    expect(readers.timm(oldTimm)).toMatchObject({ architecture: 'vit_base_patch16_224' });
    expect(readers.openClip(openClip)).toMatchObject({ projectionDim: 512, vision: { patchSize: 32 } });
  });
});

describe('a field that is not known', () => {
  it.each<[keyof typeof readers, Fields, readonly string[]]>([
    ['transformers', vit, ['']],
    ['clip', clip, ['', 'text_config.', 'vision_config.']],
    ['clip', text, ['']],
    ['timm', timmWithArguments, ['', 'model_args.', 'pretrained_cfg.']],
    ['timm', oldTimm, ['']],
    ['openClip', openClip, ['', 'model_cfg.', 'model_cfg.vision_cfg.', 'model_cfg.text_cfg.']],
  ])('is refused by its name, unless it says nothing: %s', (layout, json, places) => {
    for (const place of places) {
      const read = (value: unknown) => readers[layout](changed(json, `${place}rotary_base`, value));
      expect(() => read(10_000)).toThrow(FormatError);
      expect(() => read(10_000)).toThrow(
        `config.json: not the configuration of a ${layout === 'timm' || layout === 'transformers' ? 'ViT' : 'CLIP'}`,
      );
      expect(() => read(10_000)).toThrow(
        `at ${place}rotary_base: expected a field that Winnow knows: this one may change what the model computes`,
      );
      expect(() => read(null)).not.toThrow();
    }
  });
});

describe('what makes a model another function', () => {
  it.each<[keyof typeof readers, Fields, readonly (readonly [path: string, value: unknown])[]]>([
    [
      'transformers',
      vit,
      [
        ['qkv_bias', false],
        ['hidden_act', 'gelu_new'],
        ['image_size', [224, 448]],
        ['patch_size', [16, 8]],
        ['pruned_heads', { '1': [0, 2] }],
        ['quantization_config', { bits: 8 }],
        ['is_decoder', true],
        ['model_type', 'dinov2'],
      ],
    ],
    [
      'clip',
      clip,
      [
        ['text_config.hidden_act', 'gelu_new'],
        ['text_config.eos_token_id', [2, 3]],
        ['vision_config.image_size', [224, 448]],
        ['quantization_config', { bits: 8 }],
      ],
    ],
    [
      'timm',
      timmWithArguments,
      [
        ['global_pool', 'avg'],
        ['model_args.global_pool', 'avg'],
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
        ['pretrained_cfg.input_size', [3, 64, 16]],
        ['pretrained_cfg.input_size', [1, 224, 224]],
      ],
    ],
    [
      'timm',
      oldTimm,
      [
        ['input_size', [3, 64, 16]],
        ['input_size', [3, 384, 384]],
        ['global_pool', 'avg'],
      ],
    ],
    [
      'openClip',
      openClip,
      [
        ['model_cfg.custom_text', true],
        ['model_cfg.init_logit_bias', -10],
        ['model_cfg.vision_cfg.image_size', [224, 448]],
        ['model_cfg.vision_cfg.ls_init_value', 1e-4],
        ['model_cfg.vision_cfg.attentional_pool', true],
        ['model_cfg.vision_cfg.no_ln_pre', true],
        ['model_cfg.vision_cfg.qk_norm', true],
        ['model_cfg.text_cfg.embed_cls', true],
        ['model_cfg.text_cfg.proj_bias', true],
        ['model_cfg.text_cfg.norm_kwargs', { eps: 1e-6, elementwise_affine: false }],
      ],
    ],
  ])('is refused by its name: %s', (layout, json, changes) => {
    for (const [path, value] of changes) {
      const read = () => readers[layout](changed(json, path, value));
      expect(read).toThrow(FormatError);
      expect(read).toThrow(`at ${path}: `);
    }
  });

  it('is read where we have it: the activation of timm', () => {
    expect(readers.timm(changed(timmWithArguments, 'model_args.act_layer', 'quick_gelu')).activation).toBe(
      'quick-gelu',
    );
  });
});

test('layers that a configuration speaks of and that are not there are an error before anything is built for them', () => {
  for (const count of [11, 13, 100_000, 1_000_000_000]) {
    for (const tower of ['vision', 'text']) {
      expect(() => readers.openClip(changed(openClip, `model_cfg.${tower}_cfg.layers`, count))).toThrow(
        `expected the tensors of ${count} layers`,
      );
    }
  }
});
