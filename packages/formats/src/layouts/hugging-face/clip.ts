import type { TextTowerConfig } from '@winnow/core';
import { z } from 'zod';
import type { Checkpoint, JsonFile } from '../../checkpoint/checkpoint';
import { count, wholeObject } from '../fields';
import { checkLayers } from '../layers';
import type { NameTable, TowerNames } from '../naming';
import { commonlyImmaterial, commonlyRefused } from './common-fields';
import { hasWholeHeads, hiddenAct, notExpressible, theirTower, towerOf, wholeHeads } from './tower';

/** The name of the models in errors. */
export const CLIP = 'a CLIP';

/** Whether there is an embedding of CLIP's, of texts or of pictures. */
export const hasClipNames = (tensors: Checkpoint['tensors']): boolean =>
  [...tensors.keys()].some((name) =>
    /(^|\.)embeddings\.(token_embedding\.weight|class_embedding)$/.test(name),
  );

export const isPositionBuffer = (name: string): string | undefined =>
  /(^|\.)embeddings\.position_ids$/.test(name) ? 'positions are counted, not stored' : undefined;

/**
 * Before transformers 4.31 configurations said 2, which is not the end of a text in CLIP's vocabulary; for such models
 * `transformers` reads the state at the greatest token of a text, and so do we.
 */
const LEGACY_END = 2;

export const layerNormEpsilon = z.number().positive().default(1e-5);

const hasEndToken = ({ eos_token_id, vocab_size }: { eos_token_id: number; vocab_size: number }) =>
  eos_token_id === LEGACY_END || eos_token_id < vocab_size;

/** The text tower. Absent fields have the defaults of `transformers`. */
export const textConfig = wholeObject({
  understood: {
    vocab_size: count.default(49408),
    hidden_size: count.default(512),
    intermediate_size: count.default(2048),
    projection_dim: count.nullish(),
    num_hidden_layers: count.default(12),
    num_attention_heads: count.default(8),
    max_position_embeddings: count.default(77),
    hidden_act: hiddenAct.default('quick_gelu'),
    layer_norm_eps: layerNormEpsilon,
    eos_token_id: z.int('expected one token that ends a text').nonnegative().default(49407),
  },
  refused: commonlyRefused,
  immaterial: commonlyImmaterial,
})
  .refine(hasWholeHeads, wholeHeads)
  .refine(hasEndToken, { path: ['eos_token_id'], message: 'expected a token of the vocabulary' });

export type TextConfig = z.output<typeof textConfig>;

/** Their text tower → ours. */
export function clipText(config: TextConfig): TextTowerConfig {
  const { vocab_size: vocabulary, eos_token_id: end } = config;
  return {
    vocabulary,
    context: config.max_position_embeddings,
    endToken: end === LEGACY_END ? 'greatest' : end,
    tower: towerOf(config, { causal: true }),
  };
}

/**
 * Our text tower → theirs.
 * @param name Of the tower, where a model has several.
 * @throws {FormatError} when theirs has no words for it: layers of different sizes, no causal mask, or an end token that
 * means something else there.
 */
export function theirText(config: TextTowerConfig, projectionDim: number, name?: string) {
  const { vocabulary, context, endToken } = config;
  const tower = theirTower(config.tower, { name });
  if (!config.tower.causal) {
    throw notExpressible(
      'expected a causal text tower, as that is the only one that CLIP has, got one that is not',
    );
  }
  if (endToken === LEGACY_END && endToken !== vocabulary - 1) {
    throw notExpressible(
      `expected an end token other than ${LEGACY_END}, which means the greatest token of a text there, got ${endToken} ` +
        `in a vocabulary of ${vocabulary}`,
    );
  }
  return {
    ...tower,
    vocab_size: vocabulary,
    max_position_embeddings: context,
    projection_dim: projectionDim,
    eos_token_id: endToken === 'greatest' ? LEGACY_END : endToken,
    // Not a part of the model; their defaults are tokens of CLIP's own vocabulary.
    bos_token_id: null,
    pad_token_id: endToken === 'greatest' ? null : endToken,
  };
}

/** @throws {FormatError} when the checkpoint has other layers of the text tower than its configuration says. */
export function checkTextLayers(checkpoint: Checkpoint, text: TextConfig, { file }: JsonFile): void {
  checkLayers(checkpoint, {
    prefix: `${textBlocks.blocks}.`,
    stated: text.num_hidden_layers,
    source: `num_hidden_layers of the text tower in ${file}`,
  });
}

/** Names in a layer of either tower. */
export const layerNames: NameTable = {
  attentionNorm: 'layer_norm1',
  'attention.query': 'self_attn.q_proj',
  'attention.key': 'self_attn.k_proj',
  'attention.value': 'self_attn.v_proj',
  'attention.output': 'self_attn.out_proj',
  ffnNorm: 'layer_norm2',
  'ffn.expand': 'mlp.fc1',
  'ffn.contract': 'mlp.fc2',
};

export const textBlocks: TowerNames = { blocks: 'text_model.encoder.layers', inBlock: layerNames };

/** Names of the text tower's parameters outside its layers. */
export const clipTextNames = {
  tokenEmbedding: { name: 'text_model.embeddings.token_embedding.weight', arrangement: 'same' },
  positions: { name: 'text_model.embeddings.position_embedding.weight', arrangement: 'same' },
  norm: 'text_model.final_layer_norm',
} as const satisfies NameTable;
