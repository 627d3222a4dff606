/**
 * Published models at their full size: what their `config.json` says, the tensors of their checkpoint by name, and what
 * must come out of the account. The names are written out here, apart from the tables of @winnow/formats, which must
 * find every one of them.
 */

const TEXT_BASE = {
  vocab_size: 49408,
  max_position_embeddings: 77,
  hidden_size: 512,
  intermediate_size: 2048,
  num_attention_heads: 8,
  num_hidden_layers: 12,
  hidden_act: 'quick_gelu',
  layer_norm_eps: 1e-5,
  projection_dim: 512,
  bos_token_id: 0,
  eos_token_id: 2,
  pad_token_id: 1,
};

const TEXT_LARGE = {
  ...TEXT_BASE,
  hidden_size: 768,
  intermediate_size: 3072,
  num_attention_heads: 12,
  projection_dim: 768,
};

const VISION_LARGE = {
  hidden_size: 1024,
  intermediate_size: 4096,
  num_attention_heads: 16,
  num_hidden_layers: 24,
  image_size: 336,
  patch_size: 14,
  num_channels: 3,
  hidden_act: 'quick_gelu',
  layer_norm_eps: 1e-5,
  projection_dim: 768,
};

const DEIT_BASE = {
  hidden_size: 768,
  intermediate_size: 3072,
  num_attention_heads: 12,
  num_hidden_layers: 12,
  image_size: 224,
  patch_size: 16,
  num_channels: 3,
  qkv_bias: true,
  hidden_act: 'gelu',
  layer_norm_eps: 1e-12,
};
const CLASSES = 1000;
const TEMPERATURE = 1;

/** By the name that `--model` takes. `shards` is how many files the weights are split over. */
export const fullSizeModels = {
  'clip-text-b': {
    title: 'CLIP-text-B',
    json: { architectures: ['CLIPTextModelWithProjection'], model_type: 'clip_text_model', ...TEXT_BASE },
    tensors: [...clipText(TEXT_BASE), ['text_projection.weight', [512, 512]]],
    shards: 1,
    batchSizes: [1, 8],
    expected: { parameters: 63_428_096 },
  },
  'deit-b': {
    title: 'DeiT-B',
    json: { architectures: ['ViTForImageClassification'], model_type: 'vit', ...DEIT_BASE },
    tensors: deit(DEIT_BASE),
    shards: 1,
    batchSizes: [1, 8],
    expected: { parameters: 86_567_656 },
  },
  'clip-l-336': {
    title: 'CLIP ViT-L/14@336',
    json: {
      architectures: ['CLIPModel'],
      model_type: 'clip',
      projection_dim: 768,
      vision_config: { model_type: 'clip_vision_model', ...VISION_LARGE },
      text_config: { model_type: 'clip_text_model', ...TEXT_LARGE },
    },
    tensors: [
      ['logit_scale', []],
      ...clipText(TEXT_LARGE),
      ...clipVision(VISION_LARGE),
      ['text_projection.weight', [768, 768]],
      ['visual_projection.weight', [768, 1024]],
    ],
    shards: 4,
    batchSizes: [1, 2],
    // Shi et al. (2023) count without the temperature.
    expected: { parameters: 427_944_192 + TEMPERATURE, gigaMacs: 197.762 },
  },
};

function clipText({ hidden_size: D, intermediate_size, num_hidden_layers, ...config }) {
  return [
    ['text_model.embeddings.token_embedding.weight', [config.vocab_size, D]],
    ['text_model.embeddings.position_embedding.weight', [config.max_position_embeddings, D]],
    ...clipLayers('text_model', { D, hiddenDim: intermediate_size, layers: num_hidden_layers }),
    ...norm('text_model.final_layer_norm', D),
  ];
}

function clipVision({ hidden_size: D, intermediate_size, num_hidden_layers, ...config }) {
  const { image_size, patch_size, num_channels } = config;
  return [
    ['vision_model.embeddings.class_embedding', [D]],
    ['vision_model.embeddings.patch_embedding.weight', [D, num_channels, patch_size, patch_size]],
    ['vision_model.embeddings.position_embedding.weight', [(image_size / patch_size) ** 2 + 1, D]],
    ...norm('vision_model.pre_layrnorm', D),
    ...clipLayers('vision_model', { D, hiddenDim: intermediate_size, layers: num_hidden_layers }),
    ...norm('vision_model.post_layernorm', D),
  ];
}

function clipLayers(tower, { D, hiddenDim, layers }) {
  return layersOf(layers, (layer) => {
    const at = `${tower}.encoder.layers.${layer}`;
    return [
      ...norm(`${at}.layer_norm1`, D),
      ...['q_proj', 'k_proj', 'v_proj', 'out_proj'].flatMap((name) =>
        linear(`${at}.self_attn.${name}`, D, D),
      ),
      ...norm(`${at}.layer_norm2`, D),
      ...linear(`${at}.mlp.fc1`, D, hiddenDim),
      ...linear(`${at}.mlp.fc2`, hiddenDim, D),
    ];
  });
}

function deit({ hidden_size: D, intermediate_size: hiddenDim, num_hidden_layers, ...config }) {
  const { image_size, patch_size, num_channels } = config;
  const embeddings = 'vit.embeddings';
  return [
    [`${embeddings}.cls_token`, [1, 1, D]],
    [`${embeddings}.position_embeddings`, [1, (image_size / patch_size) ** 2 + 1, D]],
    [`${embeddings}.patch_embeddings.projection.weight`, [D, num_channels, patch_size, patch_size]],
    [`${embeddings}.patch_embeddings.projection.bias`, [D]],
    ...layersOf(num_hidden_layers, (layer) => {
      const at = `vit.encoder.layer.${layer}`;
      return [
        ...norm(`${at}.layernorm_before`, D),
        ...['query', 'key', 'value'].flatMap((name) => linear(`${at}.attention.attention.${name}`, D, D)),
        ...linear(`${at}.attention.output.dense`, D, D),
        ...norm(`${at}.layernorm_after`, D),
        ...linear(`${at}.intermediate.dense`, D, hiddenDim),
        ...linear(`${at}.output.dense`, hiddenDim, D),
      ];
    }),
    ...norm('vit.layernorm', D),
    ...linear('classifier', D, CLASSES),
  ];
}

function layersOf(layers, tensorsOf) {
  return Array.from({ length: layers }, (_, layer) => tensorsOf(layer)).flat();
}

function norm(name, dim) {
  return [
    [`${name}.weight`, [dim]],
    [`${name}.bias`, [dim]],
  ];
}

function linear(name, inDim, outDim) {
  return [
    [`${name}.weight`, [outDim, inDim]],
    [`${name}.bias`, [outDim]],
  ];
}
