import type { Activation, DualEncoderConfig, TowerConfig } from '@winnow/core';
import { z } from 'zod';
import { type Checkpoint, type JsonFile, extentOf, gridOf } from '../checkpoint/checkpoint';
import { checkLayers, layersIn } from '../checkpoint/layers';
import { count, only, side, wholeObject } from '../configuration/fields';
import { FormatError } from '../file/format-error';
import { checkJson } from '../file/json';

const HEAD_WIDTH = 64;
/** PyTorch's own. */
const NORM_EPSILON = 1e-5;

const blocks = 'such blocks are not supported';
/** Fields of both towers with which they are other functions than ours. */
const towerShape = {
  ls_init_value: only(null, 'layer scale is not supported'),
  final_ln_after_pool: only(false, 'towers that are normalised after they are pooled are not supported'),
  act_kwargs: only(null, 'activations with options are not supported'),
  norm_kwargs: z.strictObject({ eps: z.number().positive().default(NORM_EPSILON) }).nullish(),
  block_type: only('default', blocks),
  qk_norm: only(false, blocks),
  scaled_cosine_attn: only(false, blocks),
  scale_heads: only(false, blocks),
  scale_attn_inner: only(false, blocks),
  scale_attn: only(false, blocks),
  scale_fc: only(false, blocks),
};

const visionConfig = wholeObject(
  {
    ...towerShape,
    timm_model_name: only(null, 'vision towers of timm are not supported in a CLIP'),
    image_size: side('pictures').default(224),
    patch_size: side('patches').default(16),
    layers: z.int('expected a number of layers: ResNets are not supported').positive().default(12),
    width: count.default(768),
    head_width: count.default(HEAD_WIDTH),
    mlp_ratio: z.number().positive().default(4),
    pool_type: only('tok', 'towers that pool otherwise are not supported'),
    global_average_pool: only(false, 'towers that pool otherwise are not supported'),
    attentional_pool: only(false, 'towers that pool otherwise are not supported'),
    no_ln_pre: only(false, 'towers without a norm before the first block are not supported'),
    input_patchnorm: only(false, 'patches that are normalised are not supported'),
    pos_embed_type: only('learnable', 'other positions are not supported'),
  },
  [
    ...['attn_pooler_heads', 'attn_pooler_queries', 'n_queries', 'output_tokens', 'patch_dropout'],
    ...['timm_drop', 'timm_drop_path', 'timm_model_pretrained', 'timm_pool', 'timm_proj', 'timm_proj_bias'],
  ],
);

const textConfig = wholeObject(
  {
    ...towerShape,
    hf_model_name: only(null, 'text towers of Hugging Face are not supported in an open_clip model'),
    context_length: count.default(77),
    vocab_size: count.default(49408),
    width: count.default(512),
    heads: count.default(8),
    layers: count.default(12),
    mlp_ratio: z.number().positive().default(4),
    no_causal_mask: only(false, 'text towers without a causal mask are not supported'),
    pool_type: z
      .enum(['argmax', 'eos'], 'expected argmax or eos: towers that pool otherwise are not supported')
      .default('argmax'),
    eos_id: z.int().nonnegative().default(2),
    embed_cls: only(false, 'texts with a class token are not supported'),
    attentional_pool: only(false, 'towers that pool otherwise are not supported'),
    proj: only('linear', 'other projections are not supported'),
    proj_type: only('linear', 'other projections are not supported'),
    proj_bias: only(false, 'projections with a bias are not supported'),
  },
  [
    ...['attn_pooler_heads', 'hf_model_pretrained', 'hf_pooler_type', 'hf_proj_type', 'hf_tokenizer_name'],
    ...['output_tokens', 'pad_id', 'tokenizer_kwargs', 'tokenizer_mode'],
  ],
);

const modelConfig = wholeObject(
  {
    embed_dim: count,
    quick_gelu: z.boolean().default(false),
    custom_text: only(false, 'text towers under names of their own are not supported'),
    init_logit_bias: only(null, 'a bias of the logits, as in SigLIP, is not supported'),
    multimodal_cfg: only(null, 'a third tower, as in CoCa, is not supported'),
    vision_cfg: visionConfig
      .refine(({ image_size, patch_size }) => image_size % patch_size === 0, {
        path: ['image_size'],
        message: 'expected a multiple of patch_size',
      })
      .refine(({ width, head_width }) => width % head_width === 0, {
        path: ['width'],
        message: 'expected a multiple of head_width',
      }),
    text_cfg: textConfig
      .refine(({ width, heads }) => width % heads === 0, {
        path: ['width'],
        message: 'expected a multiple of heads',
      })
      .refine(({ pool_type, eos_id, vocab_size }) => pool_type === 'argmax' || eos_id < vocab_size, {
        path: ['eos_id'],
        message: 'expected a token of the vocabulary',
      }),
  },
  ['cast_dtype', 'init_logit_scale', 'nonscalar_logit_scale', 'output_dict'],
);
/** The configuration but for `preprocess_cfg`, which says how pictures are prepared: `readPreprocessor` reads that. */
const openClipConfig = wholeObject({ model_cfg: modelConfig }, ['preprocess_cfg']);

type ModelConfig = z.output<typeof modelConfig>;

/** Before the number of a layer. */
const layerPrefixes = { vision: 'visual.transformer.resblocks.', text: 'transformer.resblocks.' } as const;

/**
 * `open_clip_config.json` → our configuration.
 * @throws {FormatError} with the path inside the JSON, or when it speaks of other layers than there are.
 */
export function fromOpenClipConfig(
  checkpoint: Pick<Checkpoint, 'file' | 'tensors'>,
  { file, json }: JsonFile,
): DualEncoderConfig {
  const what = 'the configuration of a CLIP of open_clip';
  const { model_cfg: config } = checkJson(file, json, openClipConfig, what);
  for (const tower of ['vision', 'text'] as const) {
    const { layers } = tower === 'vision' ? config.vision_cfg : config.text_cfg;
    const source = `model_cfg.${tower}_cfg.layers in ${file}`;
    checkLayers(checkpoint, { prefix: layerPrefixes[tower], stated: layers, source });
  }
  return dualEncoderOf(config);
}

/**
 * The configuration of weights by themselves: everything but the activation can be read from their shapes, as all
 * published ones have heads of 64.
 * @throws {FormatError} when a shape makes no sense.
 */
export function openClipConfigOfShapes(checkpoint: Checkpoint, activation: Activation): DualEncoderConfig {
  const { file } = checkpoint;
  const extent = (name: string, axis: number) => extentOf(checkpoint, name, axis);
  const patchSize = extent('visual.conv1.weight', 2);
  const grid = gridOf(file, 'visual.positional_embedding', extent('visual.positional_embedding', 0) - 1);
  const visionWidth = extent('visual.conv1.weight', 0);
  const textWidth = extent('token_embedding.weight', 1);
  // Half a unit more: the product with the width is cut to a whole number, and may be rounded down before.
  const ratio = (prefix: string, width: number) => (extent(`${prefix}0.mlp.c_fc.weight`, 0) + 0.5) / width;
  const cfg = {
    embed_dim: extent('visual.proj', 1),
    quick_gelu: activation === 'quick-gelu',
    vision_cfg: {
      image_size: grid * patchSize,
      patch_size: patchSize,
      width: visionWidth,
      layers: layersIn(checkpoint, layerPrefixes.vision),
      mlp_ratio: ratio(layerPrefixes.vision, visionWidth),
    },
    text_cfg: {
      context_length: extent('positional_embedding', 0),
      vocab_size: extent('token_embedding.weight', 0),
      width: textWidth,
      heads: headsOf(file, textWidth),
      layers: layersIn(checkpoint, layerPrefixes.text),
      mlp_ratio: ratio(layerPrefixes.text, textWidth),
    },
  };
  return dualEncoderOf(checkJson(`${file}: as its shapes say`, cfg, modelConfig));
}

function headsOf(file: string, width: number): number {
  const heads = width / HEAD_WIDTH;
  if (Number.isInteger(heads)) return heads;
  throw new FormatError(
    `${file}: expected a text tower whose width is a multiple of ${HEAD_WIDTH}, the width of a head in published models, ` +
      `got ${width}; put its open_clip_config.json beside it`,
  );
}

function dualEncoderOf({ embed_dim, quick_gelu, vision_cfg, text_cfg }: ModelConfig): DualEncoderConfig {
  const activation: Activation = quick_gelu ? 'quick-gelu' : 'gelu';
  return {
    kind: 'dual-encoder',
    projectionDim: embed_dim,
    vision: {
      imageSize: vision_cfg.image_size,
      patchSize: vision_cfg.patch_size,
      channels: 3,
      distillation: 'none',
      embeddingNorm: true,
      patchBias: false,
      tower: towerOf(vision_cfg, {
        heads: vision_cfg.width / vision_cfg.head_width,
        activation,
        causal: false,
      }),
    },
    text: {
      vocabulary: text_cfg.vocab_size,
      context: text_cfg.context_length,
      endToken: text_cfg.pool_type === 'eos' ? text_cfg.eos_id : 'greatest',
      tower: towerOf(text_cfg, { heads: text_cfg.heads, activation, causal: true }),
    },
  };
}

function towerOf(
  { width, layers, mlp_ratio, norm_kwargs }: ModelConfig['vision_cfg'] | ModelConfig['text_cfg'],
  how: Pick<TowerConfig, 'heads' | 'activation' | 'causal'>,
): TowerConfig {
  const headDim = width / how.heads;
  return {
    ...how,
    embedDim: width,
    denseHeadDim: headDim,
    normEpsilon: norm_kwargs?.eps ?? NORM_EPSILON,
    blocks: Array.from({ length: layers }, () => ({ headDim, hiddenDim: Math.trunc(width * mlp_ratio) })),
  };
}
