import { type DualEncoderConfig, type TextTowerConfig, dualEncoderFamily } from '@winnow/core';
import type { z } from 'zod';
import { checkJson } from '../../file/json';
import { wholeObject } from '../fields';
import { checkLayers } from '../layers';
import { defineLayout } from '../layout';
import { namingOf } from '../naming';
import { clipTextNames, hasClipNames, isPositionBuffer, textBlocks } from './clip';
import { commonlyImmaterial, commonlyRefused } from './common-fields';
import { configOf } from './config-file';
import {
  SIGLIP,
  siglipNormalisation,
  siglipTextConfig,
  siglipVision,
  siglipVisionBlocks,
  siglipVisionConfig,
  siglipVisionNames,
  theirSiglipVision,
} from './siglip';
import { notExpressible, theirTower, towerOf } from './tower';

type TheirText = z.output<typeof siglipTextConfig>;

const projectionSize = ({ projection_size, hidden_size }: TheirText): number =>
  projection_size ?? hidden_size;

const siglipConfig = wholeObject({
  understood: {
    text_config: siglipTextConfig.default(() => siglipTextConfig.parse({})),
    vision_config: siglipVisionConfig
      .refine(({ vision_use_head: hasHead }) => hasHead, {
        path: ['vision_use_head'],
        message: 'expected true: without its attention pool a SigLIP has no embeddings of pictures',
      })
      .default(() => siglipVisionConfig.parse({})),
  },
  refused: commonlyRefused,
  immaterial: commonlyImmaterial,
}).refine(({ text_config: text, vision_config: vision }) => projectionSize(text) === vision.hidden_size, {
  path: ['text_config', 'projection_size'],
  message: 'expected the hidden_size of the vision tower, whose states are the embeddings of pictures',
});

const siglipText = (config: TheirText): TextTowerConfig => ({
  vocabulary: config.vocab_size,
  context: config.max_position_embeddings,
  endToken: 'last',
  tower: towerOf(config, { causal: false }),
});

/** @throws {FormatError} when it is built otherwise than SigLIP's. */
function theirText({ vocabulary, context, endToken, tower }: TextTowerConfig, projection: number) {
  if (tower.causal) throw notExpressible("expected SigLIP's text tower, got one with a causal mask");
  if (endToken !== 'last')
    throw notExpressible(
      `expected SigLIP's text tower, which reads the last place, got the end token ${endToken}`,
    );
  return {
    ...theirTower(tower, { name: 'text' }),
    vocab_size: vocabulary,
    max_position_embeddings: context,
    projection_size: projection,
    attention_dropout: 0,
    // Not a part of the model; their defaults are tokens of a vocabulary that this may not be.
    bos_token_id: null,
    eos_token_id: null,
    pad_token_id: null,
  };
}

/** Our paths → the names in a SiglipModel. */
export const siglipNaming = namingOf({
  towers: { 'text.': textBlocks, 'vision.': siglipVisionBlocks('vision_model.') },
  outside: {
    'text.tokenEmbedding': clipTextNames.tokenEmbedding,
    'text.positions': clipTextNames.positions,
    'text.norm': clipTextNames.norm,
    ...siglipVisionNames('vision.', 'vision_model.'),
    textProjection: 'text_model.head.weight',
    textProjectionBias: 'text_model.head.bias',
    logitScale: 'logit_scale',
    logitBias: 'logit_bias',
  },
});

/** SiglipModel: SigLIP, and SigLIP 2 at a fixed picture size. */
export const huggingFaceSiglip = defineLayout<DualEncoderConfig>({
  family: dualEncoderFamily,
  source: 'Hugging Face',
  models: SIGLIP,
  anchors: ['logit_bias', 'token_embedding.weight'],
  normalisation: siglipNormalisation,
  recognises: hasClipNames,
  modelTypes: { siglip: 'siglip (both towers)' },
  read: (checkpoint) => {
    const stated = configOf(checkpoint);
    const theirs = checkJson(stated.file, stated.json, siglipConfig, `the configuration of ${SIGLIP}`);
    const { text_config: text, vision_config: vision } = theirs;
    for (const [name, { num_hidden_layers: layers }] of [
      ['text', text],
      ['vision', vision],
    ] as const) {
      checkLayers(checkpoint, {
        prefix: `${name}_model.encoder.layers.`,
        stated: layers,
        source: `num_hidden_layers of the ${name} tower in ${stated.file}`,
      });
    }
    return {
      config: {
        kind: 'dual-encoder',
        projectionDim: projectionSize(text),
        projections: 'text-alone',
        loss: 'sigmoid',
        vision: siglipVision(vision, { hasPool: true }),
        text: siglipText(text),
      },
      naming: siglipNaming,
      leftOut: isPositionBuffer,
    };
  },
  holds: ({ loss, projections }) => loss === 'sigmoid' && projections === 'text-alone',
  write: ({ vision, text, projectionDim }) => ({
    json: {
      architectures: ['SiglipModel'],
      model_type: 'siglip',
      vision_config: { model_type: 'siglip_vision_model', ...theirSiglipVision(vision, 'vision') },
      text_config: { model_type: 'siglip_text_model', ...theirText(text, projectionDim) },
    },
    naming: siglipNaming,
  }),
});
