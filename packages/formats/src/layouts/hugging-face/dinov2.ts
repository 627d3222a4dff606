import { type VisionTransformerConfig, visionTransformerFamily } from '@winnow/core';
import { z } from 'zod';
import type { JsonFile } from '../../checkpoint/checkpoint';
import { checkJson } from '../../file/json';
import { classNamesIn } from '../class-names';
import { classifierOf, leftOutOfClassifier } from '../classifier';
import { beyond } from '../features';
import { count, only, pictureSize, side, wholeObject } from '../fields';
import { checkLayers } from '../layers';
import { defineLayout } from '../layout';
import { type NameTable, type Naming, namingOf } from '../naming';
import { huggingFaceClassNames, theirClassNames } from './class-names';
import { commonlyImmaterial, commonlyRefused } from './common-fields';
import { configOf } from './config-file';
import {
  hasWholeHeads,
  hiddenAct,
  notExpressible,
  theirImageSize,
  theirTower,
  towerOf,
  wholeHeads,
} from './tower';
import { hasWholePatches, wholePatches } from '../patches';

const MODELS = 'a DINOv2';
const REGISTERED = 'dinov2_with_registers';

/**
 * Absent fields have the defaults of `transformers`. Stages are for backbones of other models, and the mask token for
 * pre-training.
 */
const dinov2Config = wholeObject({
  understood: {
    model_type: z.enum(['dinov2', REGISTERED]),
    hidden_size: count.default(768),
    num_hidden_layers: count.default(12),
    num_attention_heads: count.default(12),
    mlp_ratio: z.number().positive().default(4),
    hidden_act: hiddenAct.default('gelu'),
    layer_norm_eps: z.number().positive().default(1e-6),
    image_size: pictureSize.nullish(),
    patch_size: side('patches').nullish(),
    num_channels: count.default(3),
    qkv_bias: z.boolean().default(true),
    layerscale_value: z.number().default(1),
    num_register_tokens: z.int().nonnegative().nullish(),
  },
  refused: {
    ...commonlyRefused,
    use_swiglu_ffn: only(false, 'gated feed-forward networks are not supported'),
  },
  immaterial: [
    ...commonlyImmaterial,
    ...['apply_layernorm', 'drop_path_rate', 'out_features', 'out_indices', 'reshape_hidden_states'],
    ...['stage_names', 'use_mask_token'],
  ],
})
  .transform(
    ({ mlp_ratio: ratio, image_size: size, patch_size: patch, num_register_tokens: registers, ...rest }) => ({
      ...rest,
      intermediate_size: Math.trunc(ratio * rest.hidden_size),
      image_size: size ?? 224,
      patch_size: patch ?? (rest.model_type === REGISTERED ? 16 : 14),
      num_register_tokens: rest.model_type === REGISTERED ? (registers ?? 4) : 0,
    }),
  )
  .refine(hasWholePatches, wholePatches)
  .refine(hasWholeHeads, wholeHeads);

type Dinov2Config = z.output<typeof dinov2Config>;

/**
 * Their `config.json`, as far as it matters.
 * @throws {FormatError} with the path inside the JSON.
 */
export const readDinov2Config = ({ file, json }: JsonFile): Dinov2Config =>
  checkJson(file, json, dinov2Config, `the configuration of ${MODELS}`);

/** Their configuration → ours. Their classifier reads the class token and the mean of the patches. */
function fromTheirs(config: Dinov2Config, classes: number): VisionTransformerConfig {
  const registers = config.num_register_tokens;
  return {
    kind: 'vision-transformer',
    imageSize: config.image_size,
    patchSize: config.patch_size,
    channels: config.num_channels,
    classes,
    distillation: 'none',
    ...(registers === 0 ? {} : { registers, positioned: 'without-registers' as const }),
    embeddingNorm: false,
    patchBias: true,
    headInput: 'class-and-mean',
    tower: {
      ...towerOf(config, { causal: false }),
      ...(config.qkv_bias ? {} : { inputBias: false as const }),
      layerScale: config.layerscale_value,
    },
  };
}

/**
 * Our configuration → their `config.json`.
 * @throws {FormatError} for a model that theirs has no words for.
 */
function toTheirs(config: VisionTransformerConfig, classNames?: readonly string[]) {
  const { registers, positioned } = config;
  const strange = beyond(config, ['layerScale', 'registers', 'unplaced', 'mean', 'noInputBias']);
  if (strange !== undefined || config.distillation !== 'none')
    throw notExpressible(`expected a DINOv2, got one with ${strange ?? 'a distillation token'}`);
  if (config.tower.layerScale === undefined)
    throw notExpressible('expected a DINOv2, got one without layer scale');
  if (config.headInput !== 'class-and-mean')
    throw notExpressible('expected a DINOv2, whose head reads the class token and the mean of the patches');
  if ((registers !== undefined) !== (positioned === 'without-registers') || positioned === 'patches')
    throw notExpressible(
      'expected a DINOv2, in which class token and patches have positions and registers none',
    );
  const { intermediate_size: hidden, ...tower } = theirTower(config.tower, {
    hasLayerScale: true,
    saysBias: true,
  });
  const ratio = hidden / config.tower.embedDim;
  if (!Number.isInteger(ratio)) {
    throw notExpressible(
      `expected hidden units that are a multiple of the width ${config.tower.embedDim}, got ${hidden}`,
    );
  }
  return {
    ...(registers === undefined
      ? { model_type: 'dinov2', architectures: ['Dinov2ForImageClassification'] }
      : {
          model_type: REGISTERED,
          architectures: ['Dinov2WithRegistersForImageClassification'],
          num_register_tokens: registers,
        }),
    ...tower,
    mlp_ratio: ratio,
    layerscale_value: config.tower.layerScale ?? 1,
    use_swiglu_ffn: false,
    use_mask_token: false,
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
    image_size: theirImageSize(config.imageSize),
    patch_size: config.patchSize,
    num_channels: config.channels,
    qkv_bias: config.tower.inputBias !== false,
    ...theirClassNames(config.classes, classNames),
  };
}

/** `encoder.layer.0.attention.q_proj` is what `transformers` 5 calls in memory what checkpoints name otherwise. */
const attentionNames = {
  checkpoint: {
    'attention.query': 'attention.attention.query',
    'attention.key': 'attention.attention.key',
    'attention.value': 'attention.attention.value',
    'attention.output': 'attention.output.dense',
  },
  memory: {
    'attention.query': 'attention.q_proj',
    'attention.key': 'attention.k_proj',
    'attention.value': 'attention.v_proj',
    'attention.output': 'attention.o_proj',
  },
} as const satisfies Record<string, NameTable>;

/** Our paths → their names, in both directions. @param prefix Of every name but the classifier's; may be empty. */
function dinov2Naming(prefix: string, style: keyof typeof attentionNames = 'checkpoint'): Naming {
  const embeddings = `${prefix}embeddings`;
  return namingOf({
    towers: {
      '': {
        blocks: `${prefix}encoder.layer`,
        inBlock: {
          attentionNorm: 'norm1',
          ...attentionNames[style],
          attentionScale: 'layer_scale1.lambda1',
          ffnNorm: 'norm2',
          'ffn.expand': 'mlp.fc1',
          'ffn.contract': 'mlp.fc2',
          ffnScale: 'layer_scale2.lambda1',
        },
      },
    },
    outside: {
      'patchEmbedding.weight': {
        name: `${embeddings}.patch_embeddings.projection.weight`,
        arrangement: 'convolution',
      },
      'patchEmbedding.bias': `${embeddings}.patch_embeddings.projection.bias`,
      classToken: { name: `${embeddings}.cls_token`, arrangement: 'batched' },
      registers: { name: `${embeddings}.register_tokens`, arrangement: 'batched' },
      positions: { name: `${embeddings}.position_embeddings`, arrangement: 'batched' },
      norm: `${prefix}layernorm`,
      head: 'classifier',
    },
  });
}

const ANCHOR = 'embeddings.cls_token';

/** Dinov2ForImageClassification and Dinov2WithRegistersForImageClassification, and their backbones. */
export const huggingFaceDinov2 = defineLayout<VisionTransformerConfig>({
  family: visionTransformerFamily,
  source: 'Hugging Face',
  models: MODELS,
  anchors: ['cls_token'],
  recognises: (tensors) => [...tensors.keys()].some((name) => name.endsWith(ANCHOR)),
  modelTypes: { dinov2: 'dinov2', [REGISTERED]: REGISTERED },
  resampling: 'bicubic',
  read: (checkpoint, options) => {
    const names = [...checkpoint.tensors.keys()];
    const prefix = names.find((name) => name.endsWith(ANCHOR))?.slice(0, -ANCHOR.length) ?? '';
    const stated = configOf(checkpoint);
    const theirs = readDinov2Config(stated);
    checkLayers(checkpoint, {
      prefix: `${prefix}encoder.layer.`,
      stated: theirs.num_hidden_layers,
      source: `num_hidden_layers in ${stated.file}`,
    });
    const head = classifierOf(checkpoint, 'classifier.weight', options);
    const { classes, fresh } = head;
    const inMemory = names.some((name) => name.endsWith('.attention.q_proj.weight'));
    const naming = dinov2Naming(prefix, inMemory ? 'memory' : 'checkpoint');
    const ofClassifier = leftOutOfClassifier(naming, head, ['head']);
    return {
      config: fromTheirs(theirs, classes),
      naming,
      classNames: fresh === undefined ? classNamesIn(stated, classes, huggingFaceClassNames) : undefined,
      fresh,
      leftOut: (name) =>
        name === `${prefix}embeddings.mask_token` ? 'only pre-training reads it' : ofClassifier(name),
    };
  },
  holds: ({ headInput }) => headInput !== undefined,
  write: (config, classNames) => {
    const json = toTheirs(config, classNames);
    const { model_type: type, hidden_size: D } = json;
    const writing = { json, naming: dinov2Naming(`${type}.`) };
    if (type !== REGISTERED) return writing;
    // transformers' has one whatever its configuration says; only pre-training reads it.
    const maskToken = { dtype: 'float32', shape: [1, D], values: new Float32Array(D) } as const;
    return { ...writing, beside: new Map([[`${type}.embeddings.mask_token`, maskToken]]) };
  },
});
