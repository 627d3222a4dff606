import type { ClipTextConfig, DualEncoderConfig, TextTowerConfig, VisionTowerConfig } from '@winnow/core';
import { z } from 'zod';
import type { JsonFile } from '../checkpoint/checkpoint';
import { count, side, wholeObject } from '../configuration/fields';
import { FormatError } from '../file/format-error';
import { checkJson } from '../file/json';
import { commonShape, immaterialFields } from './common-fields';
import { hasWholeHeads, hiddenAct, notExpressible, theirTower, towerOf, wholeHeads } from './tower-config';

/**
 * Before transformers 4.31 configurations said 2, which is not the end of a text in CLIP's vocabulary; for such models
 * `transformers` reads the state at the greatest token of a text, and so do we.
 */
const LEGACY_END = 2;

const layerNormEpsilon = z.number().positive().default(1e-5);

/** Absent fields have the defaults of `transformers`. */
const textShape = {
  ...commonShape,
  vocab_size: count.default(49408),
  hidden_size: count.default(512),
  intermediate_size: count.default(2048),
  projection_dim: count.nullish(),
  num_hidden_layers: count.default(12),
  num_attention_heads: count.default(8),
  max_position_embeddings: count.default(77),
  hidden_act: hiddenAct.default('quick_gelu'),
  layer_norm_eps: layerNormEpsilon,
  eos_token_id: z.int('expected one token that ends a text').nonnegative().default(49407),
};
type TextFields = z.output<z.ZodObject<typeof textShape>>;

const hasEndToken = ({ eos_token_id, vocab_size }: Pick<TextFields, 'eos_token_id' | 'vocab_size'>) =>
  eos_token_id === LEGACY_END || eos_token_id < vocab_size;
const knownEndToken = { path: ['eos_token_id'], message: 'expected a token of the vocabulary' };

const textConfig = wholeObject(textShape, immaterialFields)
  .refine(hasWholeHeads, wholeHeads)
  .refine(hasEndToken, knownEndToken);

/** `projection_dim` of the whole model is the one that counts. */
const visionConfig = wholeObject(
  {
    ...commonShape,
    hidden_size: count.default(768),
    intermediate_size: count.default(3072),
    num_hidden_layers: count.default(12),
    num_attention_heads: count.default(12),
    num_channels: count.default(3),
    image_size: side('pictures').default(224),
    patch_size: side('patches').default(32),
    hidden_act: hiddenAct.default('quick_gelu'),
    layer_norm_eps: layerNormEpsilon,
  },
  [...immaterialFields, 'projection_dim'],
)
  .refine(hasWholeHeads, wholeHeads)
  .refine(({ image_size, patch_size }) => image_size % patch_size === 0, {
    path: ['image_size'],
    message: 'expected a multiple of patch_size',
  });

/** In old configurations the fields that end in `_dict` count, where there are both. */
const clipConfig = wholeObject(
  {
    ...commonShape,
    projection_dim: count.default(512),
    text_config: textConfig.nullish(),
    text_config_dict: textConfig.nullish(),
    vision_config: visionConfig.nullish(),
    vision_config_dict: visionConfig.nullish(),
  },
  immaterialFields,
);

const anyClipConfig = z.looseObject({
  model_type: z.enum(['clip', 'clip_text_model'], {
    error: ({ input }) =>
      `expected clip (both towers) or clip_text_model (the text tower with its projection), got ${JSON.stringify(input)}`,
  }),
});

/** The part of `config.json` that matters here, of a CLIPModel or a CLIPTextModelWithProjection. */
export type HuggingFaceClipConfig =
  | { readonly kind: 'clip-text'; readonly text: z.output<typeof textConfig> }
  | {
      readonly kind: 'dual-encoder';
      readonly projectionDim: number;
      readonly text: z.output<typeof textConfig>;
      readonly vision: z.output<typeof visionConfig>;
    };

/** @throws {FormatError} with the path inside the JSON. */
export function readClipConfig({ file, json }: JsonFile): HuggingFaceClipConfig {
  const what = 'the configuration of a CLIP';
  const { model_type } = checkJson(file, json, anyClipConfig, what);
  switch (model_type) {
    case 'clip_text_model':
      return { kind: 'clip-text', text: checkJson(file, json, textConfig, what) };
    case 'clip': {
      const config = checkJson(file, json, clipConfig, what);
      return {
        kind: 'dual-encoder',
        projectionDim: config.projection_dim,
        text: config.text_config_dict ?? config.text_config ?? textConfig.parse({}),
        vision: config.vision_config_dict ?? config.vision_config ?? visionConfig.parse({}),
      };
    }
    default:
      return model_type satisfies never;
  }
}

/** P of a text tower by itself. */
export const projectionOf = ({ projection_dim }: Pick<TextFields, 'projection_dim'>): number =>
  projection_dim ?? 512;

/** Their configuration → ours. */
export function fromClipConfig(config: HuggingFaceClipConfig): ClipTextConfig | DualEncoderConfig {
  switch (config.kind) {
    case 'clip-text':
      return { kind: config.kind, ...textOf(config.text), projectionDim: projectionOf(config.text) };
    case 'dual-encoder': {
      const { kind, projectionDim, vision, text } = config;
      return { kind, projectionDim, vision: visionOf(vision), text: textOf(text) };
    }
    default:
      return config satisfies never;
  }
}

function textOf(config: TextFields): TextTowerConfig {
  const { vocab_size: vocabulary, eos_token_id: end } = config;
  return {
    vocabulary,
    context: config.max_position_embeddings,
    endToken: end === LEGACY_END ? 'greatest' : end,
    tower: towerOf(config, { causal: true }),
  };
}

function visionOf(config: z.output<typeof visionConfig>): VisionTowerConfig {
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
