import type { Distillation } from '@winnow/core';
import { type NameTable, type Naming, namingOf } from '../checkpoint/naming';

/** `encoder.layer` is what checkpoints hold; `layers` is what `transformers` 5 calls the parameters in memory. */
export type HuggingFaceStyle = 'encoder.layer' | 'layers';

export interface HuggingFaceNames {
  /** Prefix of every name but the classifiers': `vit.`, `deit.`; empty in a checkpoint without a classifier. */
  readonly prefix: string;
  readonly style: HuggingFaceStyle;
  readonly distillation: Distillation;
}

const layerNames: Readonly<Record<HuggingFaceStyle, NameTable>> = {
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

/** Our paths → the names in a Hugging Face ViT or DeiT. */
export function huggingFaceNaming({ prefix, style, distillation }: HuggingFaceNames): Naming {
  const embeddings = `${prefix}embeddings`;
  return namingOf({
    towers: { '': { blocks: `${prefix}${style}`, inBlock: layerNames[style] } },
    outside: {
      'patchEmbedding.weight': {
        name: `${embeddings}.patch_embeddings.projection.weight`,
        layout: 'convolution',
      },
      'patchEmbedding.bias': `${embeddings}.patch_embeddings.projection.bias`,
      classToken: { name: `${embeddings}.cls_token`, layout: 'batched' },
      distillationToken: { name: `${embeddings}.distillation_token`, layout: 'batched' },
      positions: { name: `${embeddings}.position_embeddings`, layout: 'batched' },
      norm: `${prefix}layernorm`,
      head: distillation === 'head' ? 'cls_classifier' : 'classifier',
      distillationHead: 'distillation_classifier',
    },
  });
}

/** Which names a checkpoint uses, from the names in it; `undefined` when it is not a Hugging Face ViT or DeiT. */
export function huggingFaceNamesIn(
  names: readonly string[],
): Pick<HuggingFaceNames, 'prefix' | 'style'> | undefined {
  const anchor = names.find((name) => name.endsWith('embeddings.cls_token'));
  if (anchor === undefined) return undefined;
  const prefix = anchor.slice(0, -'embeddings.cls_token'.length);
  const style = names.some((name) => name.startsWith(`${prefix}layers.`)) ? 'layers' : 'encoder.layer';
  return { prefix, style };
}
