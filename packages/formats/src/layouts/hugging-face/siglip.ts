import type { VisionTowerConfig } from '@winnow/core';
import { z } from 'zod';
import type { PictureNormalisation } from '../../preprocessor/normalisation';
import { beyond } from '../features';
import { count, side, wholeObject } from '../fields';
import type { NameTable, TowerNames } from '../naming';
import { layerNames } from './clip';
import { commonlyImmaterial, commonlyRefused } from './common-fields';
import {
  hasWholeHeads,
  hiddenAct,
  notExpressible,
  theirSquare,
  theirTower,
  towerOf,
  wholeHeads,
} from './tower';
import { hasWholePatches, wholePatches } from '../patches';

/** The name of the models in errors. */
export const SIGLIP = 'a SigLIP';

/** The normalisation of every SigLIP that Google published. */
export const siglipNormalisation: PictureNormalisation = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

/** Fields of both towers. Absent ones have the defaults of `transformers`. */
const towerFields = {
  hidden_size: count.default(768),
  intermediate_size: count.default(3072),
  num_hidden_layers: count.default(12),
  num_attention_heads: count.default(12),
  hidden_act: hiddenAct.default('gelu_pytorch_tanh'),
  layer_norm_eps: z.number().positive().default(1e-6),
};

/** Tokens that start, end and fill a text are the tokenizer's business: the last place is read, whatever stands there. */
export const siglipTextConfig = wholeObject({
  understood: {
    ...towerFields,
    vocab_size: count.default(32000),
    max_position_embeddings: count.default(64),
    projection_size: count.nullish(),
  },
  refused: commonlyRefused,
  immaterial: commonlyImmaterial,
}).refine(hasWholeHeads, wholeHeads);

export const siglipVisionConfig = wholeObject({
  understood: {
    ...towerFields,
    num_channels: count.default(3),
    image_size: side('pictures').default(224),
    patch_size: side('patches').default(16),
    vision_use_head: z.boolean().default(true),
  },
  refused: commonlyRefused,
  immaterial: commonlyImmaterial,
})
  .refine(hasWholeHeads, wholeHeads)
  .refine(hasWholePatches, wholePatches);

/** @param hasPool Whether the attention pool is read; a classifier of `transformers` reads the mean of the patches. */
export function siglipVision(
  config: z.output<typeof siglipVisionConfig>,
  { hasPool }: { readonly hasPool: boolean },
): VisionTowerConfig {
  const tower = towerOf(config, { causal: false });
  return {
    imageSize: config.image_size,
    patchSize: config.patch_size,
    channels: config.num_channels,
    distillation: 'none',
    classToken: false,
    embeddingNorm: false,
    patchBias: true,
    tower,
    ...(hasPool
      ? { attentionPool: { headDim: tower.denseHeadDim, hiddenDim: config.intermediate_size } }
      : {}),
  };
}

/** @throws {FormatError} when it is built otherwise than SigLIP's. */
export function theirSiglipVision(vision: VisionTowerConfig, name?: string) {
  const { imageSize, patchSize, channels, attentionPool, tower } = vision;
  const strange = beyond(vision, ['noClassToken', 'attentionPool', 'mean']);
  if (strange !== undefined || vision.distillation !== 'none' || vision.classToken !== false)
    throw notExpressible(`expected SigLIP's vision tower, got one with ${strange ?? 'a class token'}`);
  const pool = attentionPool === undefined ? [] : [attentionPool];
  return {
    ...theirTower({ ...tower, blocks: [...tower.blocks, ...pool] }, { name }),
    num_hidden_layers: tower.blocks.length,
    image_size: theirSquare(imageSize, 'the SigLIP'),
    patch_size: patchSize,
    num_channels: channels,
    vision_use_head: attentionPool !== undefined,
    attention_dropout: 0,
  };
}

/** Names of a vision tower's parameters: ours begin with one prefix, theirs with another. */
export function siglipVisionNames(ours: string, theirs: string): NameTable {
  const pool = `${theirs}head`;
  const packed = (leaf: string): NameTable =>
    Object.fromEntries(
      ['query', 'key', 'value'].map((part) => [
        `${ours}attentionPool.attention.${part}.${leaf}`,
        `${pool}.attention.in_proj_${leaf}`,
      ]),
    );
  return {
    [`${ours}patchEmbedding.weight`]: {
      name: `${theirs}embeddings.patch_embedding.weight`,
      arrangement: 'convolution',
    },
    [`${ours}patchEmbedding.bias`]: `${theirs}embeddings.patch_embedding.bias`,
    [`${ours}positions`]: { name: `${theirs}embeddings.position_embedding.weight`, arrangement: 'same' },
    [`${ours}norm`]: `${theirs}post_layernorm`,
    [`${ours}attentionPool.probe`]: { name: `${pool}.probe`, arrangement: 'batched' },
    ...packed('weight'),
    ...packed('bias'),
    [`${ours}attentionPool.attention.output`]: `${pool}.attention.out_proj`,
    [`${ours}attentionPool.norm`]: `${pool}.layernorm`,
    [`${ours}attentionPool.ffn.expand`]: `${pool}.mlp.fc1`,
    [`${ours}attentionPool.ffn.contract`]: `${pool}.mlp.fc2`,
  };
}

export const siglipVisionBlocks = (theirs: string): TowerNames => ({
  blocks: `${theirs}encoder.layers`,
  inBlock: layerNames,
});
