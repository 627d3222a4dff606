import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { joined } from './mutate-safetensors.mjs';
import { randomOf } from './random.mjs';

/** Checkpoints of others, as small as they can be: pictures of 16 pixels in four patches, one layer or two of width 8. */

const WIDTH = 8;
const HIDDEN = 16;
const PATCH = 8;
const TOKENS = 5;
const LAYERS = 2;
const PROJECTION = 6;
const CONTEXT = 8;
export const CLASSES = ['blue', 'red'];

/** Registers of the DINOv2. */
const REGISTERS = 2;

/** A safetensors file of small random weights. */
function weightsOf(shapes, metadata) {
  const random = randomOf('weights');
  const header = metadata === undefined ? {} : { __metadata__: metadata };
  const pieces = [];
  let at = 0;
  for (const [name, shape] of shapes) {
    const values = Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => random.share() - 0.5,
    );
    const bytes = Buffer.from(values.buffer);
    header[name] = { dtype: 'F32', shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
    pieces.push(bytes);
  }
  return joined(JSON.stringify(header), Buffer.concat(pieces));
}

const layers = (count, shapesOf) => Array.from({ length: count }, (_, index) => shapesOf(index)).flat();
const linear = (name, inputs, outputs) => [
  [`${name}.weight`, [outputs, inputs]],
  [`${name}.bias`, [outputs]],
];
const norm = (name) => [
  [`${name}.weight`, [WIDTH]],
  [`${name}.bias`, [WIDTH]],
];

const write = (folder, files) => {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const isText = typeof content === 'string' || Buffer.isBuffer(content);
    writeFileSync(join(folder, name), isText ? content : `${JSON.stringify(content, undefined, 2)}\n`);
  }
};

const preprocessor = {
  do_normalize: true,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
  size: { height: 16, width: 16 },
};

const visionTransformer = [
  ['vit.embeddings.cls_token', [1, 1, WIDTH]],
  ['vit.embeddings.position_embeddings', [1, TOKENS, WIDTH]],
  ['vit.embeddings.patch_embeddings.projection.weight', [WIDTH, 3, PATCH, PATCH]],
  ['vit.embeddings.patch_embeddings.projection.bias', [WIDTH]],
  ...layers(LAYERS, (index) => {
    const layer = `vit.encoder.layer.${index}`;
    return [
      ...norm(`${layer}.layernorm_before`),
      ...['query', 'key', 'value'].flatMap((name) =>
        linear(`${layer}.attention.attention.${name}`, WIDTH, WIDTH),
      ),
      ...linear(`${layer}.attention.output.dense`, WIDTH, WIDTH),
      ...norm(`${layer}.layernorm_after`),
      ...linear(`${layer}.intermediate.dense`, WIDTH, HIDDEN),
      ...linear(`${layer}.output.dense`, HIDDEN, WIDTH),
    ];
  }),
  ...norm('vit.layernorm'),
  ...linear('classifier', WIDTH, CLASSES.length),
];

/** Hugging Face's ViT: config.json, model.safetensors, preprocessor_config.json. */
export function makeHuggingFace(folder) {
  const names = CLASSES.map((name, index) => [index, name]);
  write(folder, {
    'config.json': {
      model_type: 'vit',
      architectures: ['ViTForImageClassification'],
      hidden_size: WIDTH,
      num_hidden_layers: LAYERS,
      num_attention_heads: 2,
      intermediate_size: HIDDEN,
      hidden_act: 'gelu',
      layer_norm_eps: 1e-12,
      image_size: 2 * PATCH,
      patch_size: PATCH,
      num_channels: 3,
      qkv_bias: true,
      id2label: Object.fromEntries(names),
      label2id: Object.fromEntries(names.map(([index, name]) => [name, index])),
    },
    'preprocessor_config.json': preprocessor,
    'model.safetensors': weightsOf(visionTransformer, { format: 'pt' }),
  });
}

/** The same in two files and an index. */
export function makeShards(folder) {
  makeHuggingFace(folder);
  rmSync(join(folder, 'model.safetensors'));
  const middle = Math.floor(visionTransformer.length / 2);
  const parts = [visionTransformer.slice(0, middle), visionTransformer.slice(middle)];
  const fileOf = (index) => `model-0000${index + 1}-of-00002.safetensors`;
  write(folder, {
    ...Object.fromEntries(parts.map((shapes, index) => [fileOf(index), weightsOf(shapes)])),
    'model.safetensors.index.json': {
      metadata: { total_size: 4 },
      weight_map: Object.fromEntries(
        parts.flatMap((shapes, index) => shapes.map(([name]) => [name, fileOf(index)])),
      ),
    },
  });
}

/** timm's ViT: config.json and model.safetensors. */
export function makeTimm(folder) {
  write(folder, {
    'config.json': {
      architecture: 'vit_tiny_patch16_224',
      num_classes: CLASSES.length,
      model_args: { num_heads: 2, img_size: 2 * PATCH, patch_size: PATCH, embed_dim: WIDTH, depth: LAYERS },
      pretrained_cfg: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], label_names: CLASSES },
    },
    'model.safetensors': weightsOf([
      ['cls_token', [1, 1, WIDTH]],
      ['pos_embed', [1, TOKENS, WIDTH]],
      ['patch_embed.proj.weight', [WIDTH, 3, PATCH, PATCH]],
      ['patch_embed.proj.bias', [WIDTH]],
      ...layers(LAYERS, (index) => [
        ...norm(`blocks.${index}.norm1`),
        ...linear(`blocks.${index}.attn.qkv`, WIDTH, 3 * WIDTH),
        ...linear(`blocks.${index}.attn.proj`, WIDTH, WIDTH),
        ...norm(`blocks.${index}.norm2`),
        ...linear(`blocks.${index}.mlp.fc1`, WIDTH, HIDDEN),
        ...linear(`blocks.${index}.mlp.fc2`, HIDDEN, WIDTH),
      ]),
      ...norm('norm'),
      ...linear('head', WIDTH, CLASSES.length),
    ]),
  });
}

const WORDS = ['a', 'blue', 'dark', 'drawing', 'light', 'of', 'one', 'red'];
const [UNKNOWN, START, END] = ['<unk>', '<|startoftext|>', '<|endoftext|>'];
const wordTokens = [UNKNOWN, START, ...WORDS, END];
const special = (content, id) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});
const index = (tokens) => Object.fromEntries(tokens.map((token, id) => [token, id]));

/** A tokenizer.json of words. */
export const wordTokenizer = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [special(UNKNOWN, 0), special(START, 1), special(END, wordTokens.length - 1)],
  normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Lowercase' }] },
  pre_tokenizer: { type: 'Whitespace' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: START, type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: END, type_id: 0 } },
    ],
    pair: [],
    special_tokens: {},
  },
  decoder: null,
  model: { type: 'WordLevel', vocab: index(wordTokens), unk_token: UNKNOWN },
};

/** A vocab.json and a merges.txt as CLIP's, with two merges. */
export function makeByteTokenizer(folder) {
  const bytes = Array.from({ length: 94 }, (_, at) => String.fromCodePoint(33 + at));
  const tokens = [...bytes, ...bytes.map((byte) => `${byte}</w>`), 're', 'red</w>', START, END];
  write(folder, { 'vocab.json': index(tokens), 'merges.txt': '#version: 0.2\nr e\nre d</w>\n' });
}

/** SentencePiece's model, written in its protobuf: pieces with scores, and that they are unigrams. */
export function makeUnigramTokenizer(folder) {
  const TYPE = { normal: 1, unknown: 2, control: 3 };
  const score = (value) => {
    const bytes = Buffer.alloc(5, 0x15); // field 2, 32 bits
    bytes.writeFloatLE(value, 1);
    return bytes;
  };
  const part = (field, content) => Buffer.concat([Buffer.from([(field << 3) | 2, content.length]), content]);
  const number = (field, value) => Buffer.from([field << 3, value]);
  const piece = (text, value, type) =>
    part(1, Buffer.concat([part(1, Buffer.from(text)), score(value), number(3, type)]));
  const letters = Array.from({ length: 26 }, (_, at) => String.fromCodePoint(97 + at));
  const model = Buffer.concat([
    ...[piece('<pad>', 0, TYPE.control), piece('</s>', 0, TYPE.control), piece('<unk>', 0, TYPE.unknown)],
    ...[...letters, '\u2581', '\u2581a', '\u2581red', '\u2581drawing', 'ing'].map((text, at) =>
      piece(text, -1 - at / 10, TYPE.normal),
    ),
    part(2, Buffer.concat([number(3, 1)])), // trainer: model_type, unigram
    part(3, Buffer.concat([part(1, Buffer.from('identity')), number(3, 1), number(4, 1), number(5, 1)])),
  ]);
  write(folder, { 'spiece.model': model });
}

/** Hugging Face's CLIP over the tokenizer of words. */
export function makeClip(folder) {
  const tower = (prefix, count) =>
    layers(count, (at) => {
      const layer = `${prefix}.encoder.layers.${at}`;
      return [
        ...norm(`${layer}.layer_norm1`),
        ...['q_proj', 'k_proj', 'v_proj', 'out_proj'].flatMap((name) =>
          linear(`${layer}.self_attn.${name}`, WIDTH, WIDTH),
        ),
        ...norm(`${layer}.layer_norm2`),
        ...linear(`${layer}.mlp.fc1`, WIDTH, HIDDEN),
        ...linear(`${layer}.mlp.fc2`, HIDDEN, WIDTH),
      ];
    });
  const shared = {
    hidden_size: WIDTH,
    intermediate_size: HIDDEN,
    num_attention_heads: 2,
    hidden_act: 'quick_gelu',
    layer_norm_eps: 1e-5,
    projection_dim: PROJECTION,
  };
  write(folder, {
    'config.json': {
      model_type: 'clip',
      architectures: ['CLIPModel'],
      projection_dim: PROJECTION,
      logit_scale_init_value: 2.6592,
      text_config: {
        ...shared,
        model_type: 'clip_text_model',
        vocab_size: wordTokens.length,
        max_position_embeddings: CONTEXT,
        num_hidden_layers: 1,
        bos_token_id: 1,
        eos_token_id: wordTokens.length - 1,
        pad_token_id: wordTokens.length - 1,
      },
      vision_config: {
        ...shared,
        model_type: 'clip_vision_model',
        image_size: 2 * PATCH,
        patch_size: PATCH,
        num_channels: 3,
        num_hidden_layers: 1,
      },
    },
    'preprocessor_config.json': preprocessor,
    'tokenizer.json': wordTokenizer,
    'model.safetensors': weightsOf([
      ['text_model.embeddings.token_embedding.weight', [wordTokens.length, WIDTH]],
      ['text_model.embeddings.position_embedding.weight', [CONTEXT, WIDTH]],
      ...tower('text_model', 1),
      ...norm('text_model.final_layer_norm'),
      ['vision_model.embeddings.class_embedding', [WIDTH]],
      ['vision_model.embeddings.patch_embedding.weight', [WIDTH, 3, PATCH, PATCH]],
      ['vision_model.embeddings.position_embedding.weight', [TOKENS, WIDTH]],
      ...norm('vision_model.pre_layrnorm'),
      ...tower('vision_model', 1),
      ...norm('vision_model.post_layernorm'),
      ['visual_projection.weight', [PROJECTION, WIDTH]],
      ['text_projection.weight', [PROJECTION, WIDTH]],
      ['logit_scale', []],
    ]),
  });
}

/** open_clip's CLIP over the same tokenizer. */
export function makeOpenClip(folder) {
  const tower = (prefix) =>
    layers(1, (at) => {
      const block = `${prefix}.resblocks.${at}`;
      return [
        ...norm(`${block}.ln_1`),
        [`${block}.attn.in_proj_weight`, [3 * WIDTH, WIDTH]],
        [`${block}.attn.in_proj_bias`, [3 * WIDTH]],
        ...linear(`${block}.attn.out_proj`, WIDTH, WIDTH),
        ...norm(`${block}.ln_2`),
        ...linear(`${block}.mlp.c_fc`, WIDTH, HIDDEN),
        ...linear(`${block}.mlp.c_proj`, HIDDEN, WIDTH),
      ];
    });
  write(folder, {
    'open_clip_config.json': {
      model_cfg: {
        embed_dim: PROJECTION,
        vision_cfg: {
          image_size: 2 * PATCH,
          patch_size: PATCH,
          layers: 1,
          width: WIDTH,
          head_width: 4,
          mlp_ratio: HIDDEN / WIDTH,
        },
        text_cfg: {
          context_length: CONTEXT,
          vocab_size: wordTokens.length,
          width: WIDTH,
          heads: 2,
          layers: 1,
          mlp_ratio: HIDDEN / WIDTH,
        },
      },
      preprocess_cfg: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
    },
    'tokenizer.json': wordTokenizer,
    'open_clip_model.safetensors': weightsOf([
      ['positional_embedding', [CONTEXT, WIDTH]],
      ['text_projection', [WIDTH, PROJECTION]],
      ['logit_scale', []],
      ['token_embedding.weight', [wordTokens.length, WIDTH]],
      ['visual.class_embedding', [WIDTH]],
      ['visual.positional_embedding', [TOKENS, WIDTH]],
      ['visual.proj', [WIDTH, PROJECTION]],
      ['visual.conv1.weight', [WIDTH, 3, PATCH, PATCH]],
      ...norm('visual.ln_pre'),
      ...tower('visual.transformer'),
      ...norm('visual.ln_post'),
      ...tower('transformer'),
      ...norm('ln_final'),
    ]),
  });
}

/** A DINOv2 with registers, whose head reads the class token and the mean of the patches. */
export function makeDinov2(folder) {
  const prefix = 'dinov2_with_registers';
  const embeddings = `${prefix}.embeddings`;
  const shapes = [
    [`${embeddings}.cls_token`, [1, 1, WIDTH]],
    [`${embeddings}.mask_token`, [1, WIDTH]],
    [`${embeddings}.register_tokens`, [1, REGISTERS, WIDTH]],
    [`${embeddings}.position_embeddings`, [1, TOKENS, WIDTH]],
    [`${embeddings}.patch_embeddings.projection.weight`, [WIDTH, 3, PATCH, PATCH]],
    [`${embeddings}.patch_embeddings.projection.bias`, [WIDTH]],
    ...layers(LAYERS, (index) => {
      const layer = `${prefix}.encoder.layer.${index}`;
      return [
        ...norm(`${layer}.norm1`),
        ...['query', 'key', 'value'].flatMap((name) =>
          linear(`${layer}.attention.attention.${name}`, WIDTH, WIDTH),
        ),
        ...linear(`${layer}.attention.output.dense`, WIDTH, WIDTH),
        [`${layer}.layer_scale1.lambda1`, [WIDTH]],
        ...norm(`${layer}.norm2`),
        ...linear(`${layer}.mlp.fc1`, WIDTH, HIDDEN),
        ...linear(`${layer}.mlp.fc2`, HIDDEN, WIDTH),
        [`${layer}.layer_scale2.lambda1`, [WIDTH]],
      ];
    }),
    ...norm(`${prefix}.layernorm`),
    ...linear('classifier', 2 * WIDTH, CLASSES.length),
  ];
  write(folder, {
    'model.safetensors': weightsOf(shapes, { format: 'pt' }),
    'config.json': {
      model_type: prefix,
      hidden_size: WIDTH,
      num_hidden_layers: LAYERS,
      num_attention_heads: 2,
      mlp_ratio: HIDDEN / WIDTH,
      num_register_tokens: REGISTERS,
      image_size: 2 * PATCH,
      patch_size: PATCH,
      layerscale_value: 1,
      qkv_bias: true,
      use_swiglu_ffn: false,
      id2label: Object.fromEntries(CLASSES.map((name, index) => [index, name])),
      label2id: Object.fromEntries(CLASSES.map((name, index) => [name, index])),
    },
    'preprocessor_config.json': preprocessor,
  });
}
