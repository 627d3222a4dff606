import { type DualEncoderConfig, type VisionTowerConfig, dualEncoderFamily } from '@winnow/core';
import type { z } from 'zod';
import type { JsonFile } from '../../checkpoint/checkpoint';
import { checkJson } from '../../file/json';
import { clipNormalisation } from '../../preprocessor/normalisation';
import { count, side, wholeObject } from '../fields';
import { checkLayers } from '../layers';
import { defineLayout } from '../layout';
import { namingOf } from '../naming';
import {
  CLIP,
  checkTextLayers,
  clipText,
  clipTextNames,
  hasClipNames,
  isPositionBuffer,
  layerNames,
  layerNormEpsilon,
  textBlocks,
  textConfig,
  theirText,
} from './clip';
import { commonlyImmaterial, commonlyRefused } from './common-fields';
import { configOf } from './config-file';
import { beyond } from '../features';
import {
  hasWholeHeads,
  hiddenAct,
  notExpressible,
  theirSquare,
  theirTower,
  towerOf,
  wholeHeads,
} from './tower';

/** `projection_dim` of the whole model is the one that counts. */
const visionConfig = wholeObject({
  understood: {
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
  refused: commonlyRefused,
  immaterial: [...commonlyImmaterial, 'projection_dim'],
})
  .refine(hasWholeHeads, wholeHeads)
  .refine(({ image_size, patch_size }) => image_size % patch_size === 0, {
    path: ['image_size'],
    message: 'expected a multiple of patch_size',
  });

/** In old configurations the fields that end in `_dict` count, where there are both. */
const clipConfig = wholeObject({
  understood: {
    projection_dim: count.default(512),
    text_config: textConfig.nullish(),
    text_config_dict: textConfig.nullish(),
    vision_config: visionConfig.nullish(),
    vision_config_dict: visionConfig.nullish(),
  },
  refused: commonlyRefused,
  immaterial: commonlyImmaterial,
});

/**
 * The part of a CLIPModel's `config.json` that matters here.
 * @throws {FormatError} with the path inside the JSON.
 */
export function readClipConfig({ file, json }: JsonFile) {
  const config = checkJson(file, json, clipConfig, `the configuration of ${CLIP}`);
  return {
    projectionDim: config.projection_dim,
    text: config.text_config_dict ?? config.text_config ?? textConfig.parse({}),
    vision: config.vision_config_dict ?? config.vision_config ?? visionConfig.parse({}),
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

/** @throws {FormatError} when it is built otherwise than CLIP's. */
function theirVision(vision: VisionTowerConfig) {
  const { imageSize, patchSize, channels, distillation, embeddingNorm, patchBias } = vision;
  const tower = theirTower(vision.tower, { name: 'vision' });
  if (distillation !== 'none' || !embeddingNorm || patchBias || vision.tower.causal) {
    throw notExpressible(
      "expected CLIP's vision tower, with a norm before its first block and no bias in its patch projection (embeddingNorm " +
        'true, patchBias false, distillation none, causal false), as that is the only one that CLIPModel has, got ' +
        `embeddingNorm ${embeddingNorm}, patchBias ${patchBias}, distillation ${distillation}, causal ${vision.tower.causal}`,
    );
  }
  const strange = beyond(vision, ['embeddingNorm', 'noPatchBias']);
  if (strange !== undefined) throw notExpressible(`expected CLIP's vision tower, got one with ${strange}`);
  return {
    ...tower,
    image_size: theirSquare(imageSize, 'the CLIP'),
    patch_size: patchSize,
    num_channels: channels,
  };
}

const VISION_BLOCKS = 'vision_model.encoder.layers';

/** Our paths → the names in a CLIPModel. (`pre_layrnorm` is how it is spelled there.) */
export const clipNaming = namingOf({
  towers: {
    'text.': textBlocks,
    'vision.': { blocks: VISION_BLOCKS, inBlock: layerNames },
  },
  outside: {
    'text.tokenEmbedding': clipTextNames.tokenEmbedding,
    'text.positions': clipTextNames.positions,
    'text.norm': clipTextNames.norm,
    'vision.patchEmbedding.weight': {
      name: 'vision_model.embeddings.patch_embedding.weight',
      arrangement: 'convolution',
    },
    'vision.classToken': { name: 'vision_model.embeddings.class_embedding', arrangement: 'unbatched' },
    'vision.positions': { name: 'vision_model.embeddings.position_embedding.weight', arrangement: 'same' },
    'vision.embeddingNorm': 'vision_model.pre_layrnorm',
    'vision.norm': 'vision_model.post_layernorm',
    visionProjection: 'visual_projection.weight',
    textProjection: 'text_projection.weight',
    logitScale: { name: 'logit_scale', arrangement: 'unbatched' },
  },
});

/** CLIPModel. */
export const huggingFaceDualEncoder = defineLayout<DualEncoderConfig>({
  family: dualEncoderFamily,
  source: 'Hugging Face',
  models: CLIP,
  anchors: ['class_embedding', 'token_embedding.weight'],
  normalisation: clipNormalisation,
  recognises: hasClipNames,
  modelTypes: { clip: 'clip (both towers)' },
  read: (checkpoint) => {
    const stated = configOf(checkpoint);
    const { projectionDim, text, vision } = readClipConfig(stated);
    checkTextLayers(checkpoint, text, stated);
    checkLayers(checkpoint, {
      prefix: `${VISION_BLOCKS}.`,
      stated: vision.num_hidden_layers,
      source: `num_hidden_layers of the vision tower in ${stated.file}`,
    });
    return {
      config: { kind: 'dual-encoder', projectionDim, vision: visionOf(vision), text: clipText(text) },
      naming: clipNaming,
      leftOut: isPositionBuffer,
    };
  },
  holds: ({ loss, projections }) => loss === undefined && projections === undefined,
  write: ({ vision, text, projectionDim }) => ({
    json: {
      architectures: ['CLIPModel'],
      model_type: 'clip',
      projection_dim: projectionDim,
      vision_config: {
        model_type: 'clip_vision_model',
        ...theirVision(vision),
        projection_dim: projectionDim,
      },
      text_config: { model_type: 'clip_text_model', ...theirText(text, projectionDim, 'text') },
    },
    naming: clipNaming,
  }),
});
