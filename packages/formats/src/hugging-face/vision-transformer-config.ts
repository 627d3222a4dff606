import type { Distillation, VisionTransformerConfig } from '@winnow/core';
import { type ZodType, z } from 'zod';
import { FormatError } from '../file/format-error';
import { checkJson } from '../file/read-file';

const count = z.int().positive();
const activations = { gelu: 'gelu', quick_gelu: 'quick-gelu' } as const;

/** What `config.json` of a ViT or DeiT says that matters here. Absent fields have the defaults of `transformers`. */
const huggingFaceConfig = z.object({
  model_type: z.enum(['vit', 'deit']),
  architectures: z.array(z.string()).default([]),
  hidden_size: count.default(768),
  num_hidden_layers: count.default(12),
  num_attention_heads: count.default(12),
  intermediate_size: count.default(3072),
  hidden_act: z.enum(['gelu', 'quick_gelu']).default('gelu'),
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
  .refine(({ hidden_size, num_attention_heads }) => hidden_size % num_attention_heads === 0, {
    path: ['hidden_size'],
    message: 'expected a multiple of num_attention_heads',
  });

/**
 * Their `config.json` → our configuration. How many classes there are, the classifier's shape says.
 * @throws {FormatError} with the path inside the JSON.
 */
export function fromHuggingFaceConfig(file: string, json: unknown, classes: number): VisionTransformerConfig {
  const config = checkJson(file, json, imageConfig);
  const { hidden_size: embedDim, num_attention_heads: heads } = config;
  const headDim = embedDim / heads;
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
      embedDim,
      heads,
      denseHeadDim: headDim,
      activation: activations[config.hidden_act],
      causal: false,
      normEpsilon: config.layer_norm_eps,
      blocks: Array.from({ length: config.num_hidden_layers }, () => ({
        headDim,
        hiddenDim: config.intermediate_size,
      })),
    },
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

const theirActivations = { gelu: 'gelu', 'quick-gelu': 'quick_gelu' } as const;
const theirModels = {
  none: { model_type: 'vit', architectures: ['ViTForImageClassification'] },
  token: { model_type: 'deit', architectures: ['DeiTForImageClassification'] },
  head: { model_type: 'deit', architectures: ['DeiTForImageClassificationWithTeacher'] },
} as const;

/**
 * Our configuration → their `config.json`.
 * @throws {FormatError} for a model with layers of different sizes: theirs has one size for all.
 */
export function toHuggingFaceConfig(config: VisionTransformerConfig) {
  const { embedDim, heads, denseHeadDim, activation, normEpsilon, blocks } = config.tower;
  const hiddenDim = blocks[0]?.hiddenDim ?? 0;
  const theirHeadDim = embedDim / heads;
  const odd = blocks.findIndex(
    (block) =>
      block.headDim !== theirHeadDim || denseHeadDim !== theirHeadDim || block.hiddenDim !== hiddenDim,
  );
  if (odd !== -1) {
    const { headDim = 0, hiddenDim: hidden = 0 } = blocks[odd] ?? {};
    throw new FormatError(
      `cannot export this model for Hugging Face: expected ${heads} heads of ${theirHeadDim} and ${hiddenDim} hidden units ` +
        `in every layer, got heads of ${headDim} and ${hidden} hidden units in layer ${odd}; save it in our own format instead`,
    );
  }
  const labels = Array.from({ length: config.classes }, (_, label) => `LABEL_${label}`);
  return {
    ...theirModels[config.distillation],
    hidden_size: embedDim,
    num_hidden_layers: blocks.length,
    num_attention_heads: heads,
    intermediate_size: hiddenDim,
    hidden_act: theirActivations[activation],
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
    layer_norm_eps: normEpsilon,
    image_size: config.imageSize,
    patch_size: config.patchSize,
    num_channels: config.channels,
    qkv_bias: true,
    id2label: Object.fromEntries(labels.map((name, label) => [label, name])),
    label2id: Object.fromEntries(labels.map((name, label) => [name, label])),
  };
}
