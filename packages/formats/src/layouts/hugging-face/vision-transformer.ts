import { type Distillation, type VisionTransformerConfig, visionTransformerFamily } from '@winnow/core';
import { z } from 'zod';
import type { JsonFile } from '../../checkpoint/checkpoint';
import { checkJson } from '../../file/json';
import { classNamesIn } from '../class-names';
import { classifierOf, leftOutOfClassifier } from '../classifier';
import { beyond } from '../features';
import { count, pictureSize, side, wholeObject } from '../fields';
import { withoutLayerScale } from '../fold-layer-scale';
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

const MODELS = 'a ViT or DeiT';

/** Absent fields have the defaults of `transformers`. The pooler and the decoder of masked pictures are no part of a classifier. */
const imageConfig = wholeObject({
  understood: {
    model_type: z.enum(['vit', 'deit']),
    architectures: z.array(z.string()).nullish(),
    hidden_size: count.default(768),
    num_hidden_layers: count.default(12),
    num_attention_heads: count.default(12),
    intermediate_size: count.default(3072),
    hidden_act: hiddenAct.default('gelu'),
    layer_norm_eps: z.number().positive().default(1e-12),
    image_size: pictureSize.default(224),
    patch_size: side('patches').default(16),
    num_channels: count.default(3),
    qkv_bias: z.boolean().nullish(),
  },
  refused: commonlyRefused,
  immaterial: [...commonlyImmaterial, 'encoder_stride', 'pooler_act', 'pooler_output_size'],
})
  .refine(hasWholePatches, wholePatches)
  .refine(hasWholeHeads, wholeHeads);

type ImageConfig = z.output<typeof imageConfig>;

/**
 * Their `config.json`, as far as it matters.
 * @throws {FormatError} with the path inside the JSON.
 */
export const readVisionTransformerConfig = ({ file, json }: JsonFile): ImageConfig =>
  checkJson(file, json, imageConfig, `the configuration of ${MODELS}`);

/** Their configuration → ours. How many classes there are, the classifier's shape says. */
function fromTheirs(config: ImageConfig, classes: number): VisionTransformerConfig {
  return {
    kind: 'vision-transformer',
    imageSize: config.image_size,
    patchSize: config.patch_size,
    channels: config.num_channels,
    classes,
    distillation: distillationOf(config),
    embeddingNorm: false,
    patchBias: true,
    tower: {
      ...towerOf(config, { causal: false }),
      ...(config.qkv_bias === false ? { inputBias: false as const } : {}),
    },
  };
}

function distillationOf({ model_type, architectures }: ImageConfig): Distillation {
  switch (model_type) {
    case 'vit':
      return 'none';
    case 'deit':
      return architectures?.includes('DeiTForImageClassificationWithTeacher') === true ? 'head' : 'token';
    default:
      return model_type satisfies never;
  }
}

const theirModels = {
  none: { model_type: 'vit', architectures: ['ViTForImageClassification'] },
  token: { model_type: 'deit', architectures: ['DeiTForImageClassification'] },
  head: { model_type: 'deit', architectures: ['DeiTForImageClassificationWithTeacher'] },
} as const;

/**
 * Our configuration → their `config.json`.
 * @throws {FormatError} for a model that theirs has no words for: layers of different sizes, CLIP's norm before the first
 * block, patches without a bias.
 */
function toTheirs(config: VisionTransformerConfig, classNames?: readonly string[]) {
  const { imageSize, patchSize, channels } = config;
  const tower = theirTower(config.tower, { saysBias: true });
  const strange = beyond(config, ['noInputBias']);
  if (strange !== undefined) throw notExpressible(`expected a plain ViT, got one with ${strange}`);
  return {
    ...theirModels[config.distillation],
    ...tower,
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
    image_size: theirImageSize(imageSize),
    patch_size: patchSize,
    num_channels: channels,
    qkv_bias: config.tower.inputBias !== false,
    ...theirClassNames(config.classes, classNames),
  };
}

/** `encoder.layer` is what checkpoints hold; `layers` is what `transformers` 5 calls the parameters in memory. */
type Style = 'encoder.layer' | 'layers';

const layerNames: Readonly<Record<Style, NameTable>> = {
  'encoder.layer': {
    attentionNorm: 'layernorm_before',
    'attention.query': 'attention.attention.query',
    'attention.key': 'attention.attention.key',
    'attention.value': 'attention.attention.value',
    'attention.output': 'attention.output.dense',
    ffnNorm: 'layernorm_after',
    'ffn.expand': 'intermediate.dense',
    'ffn.contract': 'output.dense',
  },
  layers: {
    attentionNorm: 'layernorm_before',
    'attention.query': 'attention.q_proj',
    'attention.key': 'attention.k_proj',
    'attention.value': 'attention.v_proj',
    'attention.output': 'attention.o_proj',
    ffnNorm: 'layernorm_after',
    'ffn.expand': 'mlp.fc1',
    'ffn.contract': 'mlp.fc2',
  },
};

/** The differences between checkpoints of one model. */
export interface VisionTransformerNames {
  /** Prefix of every name but the classifiers': `vit.`, `deit.`; empty in a checkpoint without a classifier. */
  readonly prefix: string;
  readonly style: Style;
  readonly distillation: Distillation;
}

/** Our paths → their names, in both directions. */
export function visionTransformerNaming({ prefix, style, distillation }: VisionTransformerNames): Naming {
  const embeddings = `${prefix}embeddings`;
  return namingOf({
    towers: { '': { blocks: `${prefix}${style}`, inBlock: layerNames[style] } },
    outside: {
      'patchEmbedding.weight': {
        name: `${embeddings}.patch_embeddings.projection.weight`,
        arrangement: 'convolution',
      },
      'patchEmbedding.bias': `${embeddings}.patch_embeddings.projection.bias`,
      classToken: { name: `${embeddings}.cls_token`, arrangement: 'batched' },
      distillationToken: { name: `${embeddings}.distillation_token`, arrangement: 'batched' },
      positions: { name: `${embeddings}.position_embeddings`, arrangement: 'batched' },
      norm: `${prefix}layernorm`,
      head: distillation === 'head' ? 'cls_classifier' : 'classifier',
      distillationHead: 'distillation_classifier',
    },
  });
}

const ANCHOR = 'embeddings.cls_token';

function namesIn(names: readonly string[]): Pick<VisionTransformerNames, 'prefix' | 'style'> {
  const prefix = names.find((name) => name.endsWith(ANCHOR))?.slice(0, -ANCHOR.length) ?? '';
  const style = names.some((name) => name.startsWith(`${prefix}layers.`)) ? 'layers' : 'encoder.layer';
  return { prefix, style };
}

/** ViTForImageClassification and DeiTForImageClassification(WithTeacher). */
export const huggingFaceVisionTransformer = defineLayout<VisionTransformerConfig>({
  family: visionTransformerFamily,
  source: 'Hugging Face',
  models: MODELS,
  anchors: ['cls_token'],
  recognises: (tensors) => [...tensors.keys()].some((name) => name.endsWith(ANCHOR)),
  modelTypes: { vit: 'vit', deit: 'deit' },
  read: (checkpoint, options) => {
    const { tensors } = checkpoint;
    const names = namesIn([...tensors.keys()]);
    const stated = configOf(checkpoint);
    const theirs = readVisionTransformerConfig(stated);
    checkLayers(checkpoint, {
      prefix: `${names.prefix}${names.style}.`,
      stated: theirs.num_hidden_layers,
      source: `num_hidden_layers in ${stated.file}`,
    });
    const classifier = tensors.has('cls_classifier.weight') ? 'cls_classifier.weight' : 'classifier.weight';
    const head = classifierOf(checkpoint, classifier, options);
    const { classes, fresh } = head;
    const config = fromTheirs(theirs, classes);
    const naming = visionTransformerNaming({ ...names, distillation: config.distillation });
    return {
      config,
      naming,
      classNames: fresh === undefined ? classNamesIn(stated, classes, huggingFaceClassNames) : undefined,
      fresh,
      leftOut: leftOutOfClassifier(naming, head),
    };
  },
  holds: ({ headInput }) => headInput === undefined,
  write: (config, classNames) => {
    const plain = withoutLayerScale(config);
    const json = toTheirs(plain, classNames);
    const { distillation } = config;
    const names = { prefix: `${json.model_type}.`, style: 'encoder.layer', distillation } as const;
    return {
      json,
      naming: visionTransformerNaming(names),
      ...(config.tower.layerScale === undefined ? {} : { folded: plain }),
    };
  },
});
