import { type BlipConfig, type TextStackConfig, type VisionTowerConfig, blipFamily } from '@winnow/core';
import { z } from 'zod';
import { checkJson } from '../../file/json';
import { clipNormalisation } from '../../preprocessor/normalisation';
import { beyond } from '../features';
import { count, only, side, wholeObject } from '../fields';
import { checkLayers } from '../layers';
import { defineLayout } from '../layout';
import { hasWholePatches, wholePatches } from '../patches';
import { blipBlocks, hasBlipNames, leftOutOfBlip, namingIn, purposeIn, savedNaming } from './blip-names';
import { commonlyImmaterial, commonlyRefused } from './common-fields';
import { configOf } from './config-file';
import {
  hasWholeHeads,
  hiddenAct,
  notExpressible,
  theirSquare,
  theirTower,
  towerOf,
  wholeHeads,
} from './tower';

const BLIP = 'a BLIP';

/** A decoder is what its text stack is always said to be. */
const { is_decoder: _, ...refused } = commonlyRefused;
const tied = only(true, 'words that are written have the matrix of words that are read');
const immaterial = [...commonlyImmaterial, 'projection_dim', 'label_smoothing'];
const token = z.int('expected one token').nonnegative();

const textConfig = wholeObject({
  understood: {
    vocab_size: count.default(30_524),
    hidden_size: count.default(768),
    intermediate_size: count.default(3072),
    num_hidden_layers: count.default(12),
    num_attention_heads: count.default(8),
    max_position_embeddings: count.min(2).default(512),
    hidden_act: hiddenAct.default('gelu'),
    layer_norm_eps: z.number().positive().default(1e-12),
    bos_token_id: token.default(30_522),
    sep_token_id: token.default(102),
    tie_word_embeddings: tied,
  },
  refused,
  // Their class overwrites the width of what is looked at by that of the vision tower.
  immaterial: [...immaterial, 'is_decoder', 'encoder_hidden_size'],
})
  .refine(hasWholeHeads, wholeHeads)
  .refine(({ bos_token_id, sep_token_id, vocab_size }) => Math.max(bos_token_id, sep_token_id) < vocab_size, {
    path: ['vocab_size'],
    message: 'expected a vocabulary with bos_token_id and sep_token_id',
  });

const visionConfig = wholeObject({
  understood: {
    hidden_size: count.default(768),
    intermediate_size: count.default(3072),
    num_hidden_layers: count.default(12),
    num_attention_heads: count.default(12),
    num_channels: count.default(3),
    image_size: side('pictures').default(384),
    patch_size: side('patches').default(16),
    hidden_act: hiddenAct.default('gelu'),
    layer_norm_eps: z.number().positive().default(1e-5),
  },
  refused: commonlyRefused,
  immaterial,
})
  .refine(hasWholeHeads, wholeHeads)
  .refine(hasWholePatches, wholePatches);

const blipConfig = wholeObject({
  understood: {
    image_text_hidden_size: count.default(256),
    tie_word_embeddings: tied,
    text_config: textConfig.nullish(),
    vision_config: visionConfig.nullish(),
  },
  refused,
  immaterial: [...immaterial, 'is_decoder', 'decoder_start_token_id', 'decoder_pad_token_id'],
});

/** Tokens of the texts that accounts are about: the longest that BLIP's code reads and writes. */
const usualTexts = { read: 35, captions: 20, answers: 10 } as const;

function stackOf(config: z.output<typeof textConfig>, context: number): TextStackConfig {
  const { embedDim, heads, denseHeadDim, activation, normEpsilon, blocks } = towerOf(config, {
    causal: false,
  });
  const positions = config.max_position_embeddings;
  return {
    vocabulary: config.vocab_size,
    context: Math.min(context, positions),
    positions,
    embedDim,
    heads,
    denseHeadDim,
    activation,
    norm: 'after',
    normEpsilon,
    blocks: blocks.map(({ headDim, hiddenDim }) => ({ headDim, hiddenDim, cross: [{ headDim }] })),
  };
}

const visionOf = (config: z.output<typeof visionConfig>): VisionTowerConfig => ({
  imageSize: config.image_size,
  patchSize: config.patch_size,
  channels: config.num_channels,
  distillation: 'none',
  embeddingNorm: false,
  patchBias: true,
  tower: towerOf(config, { causal: false }),
});

const architectures = {
  captions: 'BlipForConditionalGeneration',
  questions: 'BlipForQuestionAnswering',
  retrieval: 'BlipForImageTextRetrieval',
} as const;

/** @throws {FormatError} when theirs has no words for it. */
function theirStack(stack: TextStackConfig, { tokens, vision, purpose }: BlipConfig) {
  if (stack.norm !== 'after')
    throw notExpressible('expected norms behind the layers of the text stack, as BERT has them');
  if (tokens.ground !== undefined && purpose !== 'captions') {
    throw notExpressible(
      `expected texts that keep their first token when they are read about pictures, as transformers does not change it, got ${tokens.ground} in its place`,
    );
  }
  const { embedDim, heads, denseHeadDim, activation, normEpsilon, blocks } = stack;
  const odd = blocks.find(
    ({ headDim, cross: [own] }) => own?.headDim !== headDim || own.queryKeyDim !== undefined,
  );
  if (odd !== undefined)
    throw notExpressible('expected heads of one size in self-attention and cross-attention of every layer');
  const tower = theirTower(
    { embedDim, heads, denseHeadDim, activation, causal: false, normEpsilon, blocks },
    { name: 'text' },
  );
  return {
    model_type: 'blip_text_model',
    ...tower,
    encoder_hidden_size: vision.tower.embedDim,
    vocab_size: stack.vocabulary,
    max_position_embeddings: stack.positions,
    bos_token_id: tokens.start,
    sep_token_id: tokens.end,
    eos_token_id: tokens.end,
    pad_token_id: tokens.end,
    is_decoder: true,
  };
}

/** @throws {FormatError} when it is built otherwise than BLIP's. */
function theirVision(vision: VisionTowerConfig) {
  const tower = theirTower(vision.tower, { name: 'vision' });
  const strange = beyond(vision, []);
  if (strange !== undefined || vision.distillation !== 'none' || vision.tower.causal)
    throw notExpressible(`expected BLIP's vision tower, got one with ${strange ?? 'other tokens or masks'}`);
  return {
    model_type: 'blip_vision_model',
    ...tower,
    image_size: theirSquare(vision.imageSize, 'the BLIP'),
    patch_size: vision.patchSize,
  };
}

/** BlipForConditionalGeneration, BlipForQuestionAnswering and BlipForImageTextRetrieval. */
export const huggingFaceBlip = defineLayout<BlipConfig>({
  family: blipFamily,
  source: 'Hugging Face',
  models: BLIP,
  anchors: ['embeddings.word_embeddings.weight'],
  normalisation: clipNormalisation,
  recognises: hasBlipNames,
  modelTypes: { blip: 'blip' },
  read: (checkpoint) => {
    const stated = configOf(checkpoint);
    const found = checkJson(stated.file, stated.json, blipConfig, `the configuration of ${BLIP}`);
    const text = found.text_config ?? textConfig.parse({});
    const vision = found.vision_config ?? visionConfig.parse({});
    const purpose = purposeIn(checkpoint.tensors);
    const encoder = purpose === 'captions' ? [] : (['encoder'] as const);
    const decoder = purpose === 'retrieval' ? [] : (['decoder'] as const);
    for (const part of ['vision', ...encoder, ...decoder] as const) {
      checkLayers(checkpoint, {
        prefix: `${blipBlocks[part]}.`,
        stated: (part === 'vision' ? vision : text).num_hidden_layers,
        source: `num_hidden_layers of ${part === 'vision' ? 'the vision tower' : 'the texts'} in ${stated.file}`,
      });
    }
    return {
      config: {
        kind: 'blip',
        purpose,
        vision: visionOf(vision),
        tokens: { start: text.bos_token_id, end: text.sep_token_id },
        ...(encoder.length === 0 ? {} : { encoder: stackOf(text, usualTexts.read) }),
        ...(decoder.length === 0
          ? {}
          : { decoder: stackOf(text, purpose === 'captions' ? usualTexts.captions : usualTexts.answers) }),
        ...(purpose === 'retrieval' ? { embeddings: { projectionDim: found.image_text_hidden_size } } : {}),
      },
      naming: namingIn(checkpoint),
      leftOut: leftOutOfBlip(checkpoint),
    };
  },
  write: (config) => {
    const { purpose, encoder, decoder, embeddings } = config;
    if (purpose === 'statements')
      throw notExpressible(
        'expected a model for captions, questions or retrieval: transformers has none for two pictures',
      );
    if (embeddings?.temperature !== undefined)
      throw notExpressible('expected cosines as similarities: transformers has no temperature for them');
    const stacks = [encoder, decoder].flatMap((stack) =>
      stack === undefined ? [] : [theirStack(stack, config)],
    );
    const [first, second = first] = stacks;
    if (JSON.stringify(first) !== JSON.stringify(second))
      throw notExpressible('expected an encoder and a decoder of one size');
    return {
      json: {
        architectures: [architectures[purpose]],
        model_type: 'blip',
        ...(embeddings === undefined ? {} : { image_text_hidden_size: embeddings.projectionDim }),
        vision_config: theirVision(config.vision),
        text_config: first,
      },
      naming: savedNaming,
    };
  },
});
