import type { Distillation, VisionTransformerConfig } from '@winnow/core';
import { z } from 'zod';
import type { JsonFile } from '../checkpoint/checkpoint';
import { placeholderName } from '../checkpoint/class-names';
import { count, only, side, wholeObject } from '../configuration/fields';
import { checkJson } from '../file/json';
import { commonShape, immaterialFields } from './common-fields';
import { hasWholeHeads, hiddenAct, notExpressible, theirTower, towerOf, wholeHeads } from './tower-config';

/** Models with tensors like a ViT's, and what they have that ours have not. */
const otherModels: Readonly<Record<string, string>> = {
  beit: 'relative positions',
  dinov2: 'layer scale',
  dinov2_with_registers: 'layer scale and register tokens',
  dinov3_vit: 'rotary positions',
  vit_mae: 'masked pictures',
};

const modelType = z.enum(['vit', 'deit'], {
  error: ({ input }) => {
    const feature = typeof input === 'string' ? otherModels[input] : undefined;
    return (
      `expected vit or deit, got ${JSON.stringify(input) ?? 'nothing'}` +
      (feature === undefined ? '' : `: models with ${feature} are not supported`)
    );
  },
});

/**
 * The part of a ViT's or DeiT's `config.json` that matters here. Absent fields have the defaults of `transformers`. The
 * pooler and the decoder of masked pictures are no part of a classifier.
 */
const imageConfig = wholeObject(
  {
    ...commonShape,
    model_type: modelType,
    architectures: z.array(z.string()).nullish(),
    hidden_size: count.default(768),
    num_hidden_layers: count.default(12),
    num_attention_heads: count.default(12),
    intermediate_size: count.default(3072),
    hidden_act: hiddenAct.default('gelu'),
    layer_norm_eps: z.number().positive().default(1e-12),
    image_size: side('pictures').default(224),
    patch_size: side('patches').default(16),
    num_channels: count.default(3),
    qkv_bias: only(true, 'models without these biases are not supported'),
  },
  [...immaterialFields, 'encoder_stride', 'pooler_act', 'pooler_output_size'],
)
  .refine(({ image_size, patch_size }) => image_size % patch_size === 0, {
    path: ['image_size'],
    message: 'expected a multiple of patch_size',
  })
  .refine(hasWholeHeads, wholeHeads);

type HuggingFaceConfig = z.output<typeof imageConfig>;

/**
 * Their `config.json`, as far as it matters.
 * @throws {FormatError} with the path inside the JSON.
 */
export const readHuggingFaceConfig = ({ file, json }: JsonFile): HuggingFaceConfig =>
  checkJson(file, json, imageConfig, 'the configuration of a ViT or DeiT');

/** Their configuration → ours. How many classes there are, the classifier's shape says. */
export function fromHuggingFaceConfig(config: HuggingFaceConfig, classes: number): VisionTransformerConfig {
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
