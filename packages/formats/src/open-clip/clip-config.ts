import type { Activation, DualEncoderConfig, TowerConfig } from '@winnow/core';
import { z } from 'zod';
import { type Checkpoint, type JsonFile, extentOf, gridOf, layersIn } from '../checkpoint/checkpoint';
import { FormatError } from '../file/format-error';
import { checkJson } from '../file/json';

const count = z.int().positive();
const HEAD_WIDTH = 64;
/** PyTorch's own. */
const NORM_EPSILON = 1e-5;

/** Fields that stand for another function with the same tensors. What adds tensors is found out by their names. */
const onlyDefaults = {
  final_ln_after_pool: z
    .literal(false, 'expected false: towers that are normalised after they are pooled are not supported')
    .exactOptional(),
  act_kwargs: z.null('expected null: activations with options are not supported').exactOptional(),
};
const normOptions = z.object({ eps: z.number().positive().default(NORM_EPSILON) }).nullish();

const visionConfig = z.object({
  ...onlyDefaults,
  timm_model_name: z.null('expected null: vision towers of timm are not supported in a CLIP').exactOptional(),
  image_size: z.int('expected one number: only square pictures are supported').positive().default(224),
  patch_size: z.int('expected one number: only square patches are supported').positive().default(16),
  layers: z.int('expected a number of layers: ResNets are not supported').positive().default(12),
  width: count.default(768),
  head_width: count.default(HEAD_WIDTH),
  mlp_ratio: z.number().positive().default(4),
  norm_kwargs: normOptions,
  pool_type: z.literal('tok', 'expected tok: towers that pool otherwise are not supported').exactOptional(),
});

const textConfig = z.object({
  ...onlyDefaults,
  hf_model_name: z
    .null('expected null: text towers of Hugging Face are not supported in an open_clip model')
    .exactOptional(),
  context_length: count.default(77),
  vocab_size: count.default(49408),
  width: count.default(512),
  heads: count.default(8),
  layers: count.default(12),
  mlp_ratio: z.number().positive().default(4),
  norm_kwargs: normOptions,
  no_causal_mask: z
    .literal(false, 'expected false: text towers without a causal mask are not supported')
    .exactOptional(),
  pool_type: z
    .enum(['argmax', 'eos'], 'expected argmax or eos: towers that pool otherwise are not supported')
    .default('argmax'),
  eos_id: z.int().nonnegative().default(2),
});

const modelConfig = z.object({
  embed_dim: count,
  quick_gelu: z.boolean().default(false),
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
});
type ModelConfig = z.infer<typeof modelConfig>;

/**
 * `open_clip_config.json` → our configuration.
 * @throws {FormatError} with the path inside the JSON.
 */
export function fromOpenClipConfig({ file, json }: JsonFile): DualEncoderConfig {
  return dualEncoderOf(checkJson(file, json, z.object({ model_cfg: modelConfig })).model_cfg);
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
  const cfg = {
    embed_dim: extent('visual.proj', 1),
    quick_gelu: activation === 'quick-gelu',
    vision_cfg: {
      image_size: grid * patchSize,
      patch_size: patchSize,
      width: visionWidth,
      layers: layersIn(checkpoint, 'visual.transformer.resblocks.'),
      mlp_ratio: extent('visual.transformer.resblocks.0.mlp.c_fc.weight', 0) / visionWidth,
    },
    text_cfg: {
      context_length: extent('positional_embedding', 0),
      vocab_size: extent('token_embedding.weight', 0),
      width: textWidth,
      heads: headsOf(file, textWidth),
      layers: layersIn(checkpoint, 'transformer.resblocks.'),
      mlp_ratio: extent('transformer.resblocks.0.mlp.c_fc.weight', 0) / textWidth,
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
