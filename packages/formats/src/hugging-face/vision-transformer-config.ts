import type { Distillation, VisionTransformerConfig } from '@winnow/core';
import { type ZodType, z } from 'zod';
import { placeholderName } from '../checkpoint/class-names';
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

/** What `config.json` of a ViT or DeiT says that matters here. Absent fields have the defaults of `transformers`. */
const huggingFaceConfig = z.object({
  model_type: z.enum(['vit', 'deit']),
  architectures: z.array(z.string()).default([]),
  hidden_size: count.default(768),
  num_hidden_layers: count.default(12),
  num_attention_heads: count.default(12),
  intermediate_size: count.default(3072),
  hidden_act: hiddenAct.default('gelu'),
  layer_norm_eps: z.number().positive().default(1e-12),
  image_size: count.default(224),
  patch_size: count.default(16),
  num_channels: count.default(3),
  qkv_bias: z.literal(true, 'expected true: models without these biases are not supported').default(true),
});

export type HuggingFaceConfig = z.infer<typeof huggingFaceConfig>;

const imageConfig: ZodType<HuggingFaceConfig> = huggingFaceConfig
  .refine(({ image_size, patch_size }) => image_size % patch_size === 0, {
    path: ['image_size'],
    message: 'expected a multiple of patch_size',
  })
  .refine(hasWholeHeads, wholeHeads);

/**
 * Their `config.json` → our configuration. How many classes there are, the classifier's shape says.
 * @throws {FormatError} with the path inside the JSON.
 */
export function fromHuggingFaceConfig(file: string, json: unknown, classes: number): VisionTransformerConfig {
  const config = checkJson(file, json, imageConfig);
  return {
    kind: 'vision-transformer',
    imageSize: config.image_size,
    patchSize: config.patch_size,
    channels: config.num_channels,
    classes,
    distillation: distillationOf(config),
    embeddingNorm: false,
    patchBias: true,
    tower: towerOf(config, { causal: false }),
  };
}

function distillationOf({ model_type, architectures }: HuggingFaceConfig): Distillation {
  switch (model_type) {
    case 'vit':
      return 'none';
    case 'deit':
      return architectures.includes('DeiTForImageClassificationWithTeacher') ? 'head' : 'token';
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
 * @param classNames One for each class, or none.
 * @throws {FormatError} for a model that theirs has no words for: layers of different sizes, CLIP's norm before the first
 * block, patches without a bias.
 */
export function toHuggingFaceConfig(config: VisionTransformerConfig, classNames?: readonly string[]) {
  const { imageSize, patchSize, channels, embeddingNorm, patchBias } = config;
  const tower = theirTower(config.tower);
  if (embeddingNorm || !patchBias || config.tower.causal) {
    throw notExpressible(
      'expected a ViT without a norm before its first block, with a bias in its patch projection and without a causal ' +
        `mask, got embeddingNorm ${embeddingNorm}, patchBias ${patchBias}, causal ${config.tower.causal}`,
    );
  }
  const labels = classNames ?? Array.from({ length: config.classes }, (_, label) => placeholderName(label));
  return {
    ...theirModels[config.distillation],
    ...tower,
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
    image_size: imageSize,
    patch_size: patchSize,
    num_channels: channels,
    qkv_bias: true,
    id2label: Object.fromEntries(labels.map((name, label) => [label, name])),
    label2id: Object.fromEntries(labels.map((name, label) => [name, label])),
  };
}
