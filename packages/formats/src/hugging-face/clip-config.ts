import { FormatError } from '../file/format-error';
import type { ClipTextConfig, DualEncoderConfig, TextTowerConfig, VisionTowerConfig } from '@winnow/core';
import { z } from 'zod';
import { checkJson } from '../file/json';
import {
  count,
  hasWholeHeads,
  hiddenAct,
  notExpressible,
  theirTower,
  towerOf,
  wholeHeads,
} from './tower-config';

/**
 * Before transformers 4.31 configurations said 2, which is not the end of a text in CLIP's vocabulary; for such models
 * `transformers` reads the state at the greatest token of a text, and so do we.
 */
const LEGACY_END = 2;

/** Absent fields have the defaults of `transformers`. */
const textFields = z.object({
  vocab_size: count.default(49408),
  hidden_size: count.default(512),
  intermediate_size: count.default(2048),
  projection_dim: count.default(512),
  num_hidden_layers: count.default(12),
  num_attention_heads: count.default(8),
  max_position_embeddings: count.default(77),
  hidden_act: hiddenAct.default('quick_gelu'),
  layer_norm_eps: z.number().positive().default(1e-5),
  eos_token_id: z.int().nonnegative().default(49407),
});

const hasEndToken = ({ eos_token_id, vocab_size }: { eos_token_id: number; vocab_size: number }) =>
  eos_token_id === LEGACY_END || eos_token_id < vocab_size;
const knownEndToken = { path: ['eos_token_id'], message: 'expected a token of the vocabulary' };

const textConfig = textFields.refine(hasWholeHeads, wholeHeads).refine(hasEndToken, knownEndToken);

const visionConfig = z
  .object({
    hidden_size: count.default(768),
    intermediate_size: count.default(3072),
    num_hidden_layers: count.default(12),
    num_attention_heads: count.default(12),
    num_channels: count.default(3),
    image_size: count.default(224),
    patch_size: count.default(32),
    hidden_act: hiddenAct.default('quick_gelu'),
    layer_norm_eps: z.number().positive().default(1e-5),
  })
  .refine(hasWholeHeads, wholeHeads)
  .refine(({ image_size, patch_size }) => image_size % patch_size === 0, {
    path: ['image_size'],
    message: 'expected a multiple of patch_size',
  });

const clipTextConfig = textFields
  .extend({ model_type: z.literal('clip_text_model') })
  .refine(hasWholeHeads, wholeHeads)
  .refine(hasEndToken, knownEndToken);

/** In old configurations the fields that end in `_dict` count, where there are both. */
const clipConfig = z.object({
  model_type: z.literal('clip'),
  projection_dim: count.default(512),
  text_config: textConfig.nullish(),
  text_config_dict: textConfig.nullish(),
  vision_config: visionConfig.nullish(),
  vision_config_dict: visionConfig.nullish(),
});

const anyClipConfig = z.object({
  model_type: z.enum(['clip', 'clip_text_model'], {
    error: ({ input }) =>
      `expected clip (both towers) or clip_text_model (the text tower with its projection), got ${JSON.stringify(input)}`,
  }),
});

/**
 * `config.json` of a CLIPModel or a CLIPTextModelWithProjection → our configuration.
 * @throws {FormatError} with the path inside the JSON.
 */
export function fromClipConfig(file: string, json: unknown): ClipTextConfig | DualEncoderConfig {
  const { model_type } = checkJson(file, json, anyClipConfig);
  switch (model_type) {
    case 'clip_text_model': {
      const config = checkJson(file, json, clipTextConfig);
      return { kind: 'clip-text', ...textOf(config), projectionDim: config.projection_dim };
    }
    case 'clip': {
      const config = checkJson(file, json, clipConfig);
      return {
        kind: 'dual-encoder',
        projectionDim: config.projection_dim,
        vision: visionOf(config.vision_config_dict ?? config.vision_config ?? visionConfig.parse({})),
        text: textOf(config.text_config_dict ?? config.text_config ?? textConfig.parse({})),
      };
    }
    default:
      return model_type satisfies never;
  }
}

function textOf(config: z.infer<typeof textFields>): TextTowerConfig {
  const { vocab_size: vocabulary, eos_token_id: end } = config;
  return {
    vocabulary,
    context: config.max_position_embeddings,
    endToken: end === LEGACY_END ? 'greatest' : end,
    tower: towerOf(config, { causal: true }),
  };
}

function visionOf(config: z.infer<typeof visionConfig>): VisionTowerConfig {
  return {
    imageSize: config.image_size,
    patchSize: config.patch_size,
    channels: config.num_channels,
    distillation: 'none',
    embeddingNorm: true,
    patchBias: false,
    tower: towerOf(config, { causal: false }),
  };
}

/**
 * Our configuration → `config.json` of a CLIPTextModelWithProjection.
 * @throws {FormatError} for a model that theirs has no words for: layers of different sizes, or an end token that means
 * something else there.
 */
export function toClipTextConfig(config: ClipTextConfig) {
  return {
    architectures: ['CLIPTextModelWithProjection'],
    model_type: 'clip_text_model',
    ...theirText(config, config.projectionDim),
  } as const;
}

/**
 * Our configuration → `config.json` of a CLIPModel.
 * @throws {FormatError} for a model that theirs has no words for: layers of different sizes, a vision tower built
 * otherwise than CLIP's, or an end token that means something else there.
 */
export function toClipConfig({ vision, text, projectionDim, ties }: DualEncoderConfig) {
  if (ties !== undefined) {
    throw new FormatError("Hugging Face's layout cannot say that columns are shared: keep our own");
  }
  return {
    architectures: ['CLIPModel'],
    model_type: 'clip',
    projection_dim: projectionDim,
    vision_config: {
      model_type: 'clip_vision_model',
      ...theirVision(vision),
      projection_dim: projectionDim,
    },
    text_config: { model_type: 'clip_text_model', ...theirText(text, projectionDim, 'text') },
  } as const;
}

function theirVision(vision: VisionTowerConfig) {
  const { imageSize, patchSize, channels, distillation, embeddingNorm, patchBias } = vision;
  const tower = theirTower(vision.tower, 'vision');
  if (distillation !== 'none' || !embeddingNorm || patchBias || vision.tower.causal) {
    throw notExpressible(
      "expected CLIP's vision tower, with a norm before its first block and no bias in its patch projection (embeddingNorm " +
        'true, patchBias false, distillation none, causal false), as that is the only one that CLIPModel has, got ' +
        `embeddingNorm ${embeddingNorm}, patchBias ${patchBias}, distillation ${distillation}, causal ${vision.tower.causal}`,
    );
  }
  return { ...tower, image_size: imageSize, patch_size: patchSize, num_channels: channels };
}

function theirText(config: TextTowerConfig, projectionDim: number, name?: string) {
  const { vocabulary, context, endToken } = config;
  const tower = theirTower(config.tower, name);
  if (!config.tower.causal) {
    throw notExpressible(
      'expected a causal text tower, as that is the only one that CLIP has, got one that is not',
    );
  }
  if (endToken === LEGACY_END && endToken !== vocabulary - 1) {
    throw notExpressible(
      `expected an end token other than ${LEGACY_END}, which means the greatest token of a text there, got ${endToken} ` +
        `in a vocabulary of ${vocabulary}`,
    );
  }
  return {
    ...tower,
    vocab_size: vocabulary,
    max_position_embeddings: context,
    projection_dim: projectionDim,
    eos_token_id: endToken === 'greatest' ? LEGACY_END : endToken,
    // Not a part of the model; their defaults are tokens of CLIP's own vocabulary.
    bos_token_id: null,
    pad_token_id: endToken === 'greatest' ? null : endToken,
  };
}
