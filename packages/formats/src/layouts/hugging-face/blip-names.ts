import type { BlipConfig } from '@winnow/core';
import type { Checkpoint } from '../../checkpoint/checkpoint';
import { type NameTable, type Naming, namingOf } from '../naming';

const inVision: NameTable = {
  attentionNorm: 'layer_norm1',
  'attention.query': 'self_attn.qkv',
  'attention.key': 'self_attn.qkv',
  'attention.value': 'self_attn.qkv',
  'attention.output': 'self_attn.projection',
  ffnNorm: 'layer_norm2',
  'ffn.expand': 'mlp.fc1',
  'ffn.contract': 'mlp.fc2',
};

const inText: NameTable = {
  'attention.query': 'attention.self.query',
  'attention.key': 'attention.self.key',
  'attention.value': 'attention.self.value',
  'attention.output': 'attention.output.dense',
  attentionNorm: 'attention.output.LayerNorm',
  'cross.query': 'crossattention.self.query',
  'cross.key': 'crossattention.self.key',
  'cross.value': 'crossattention.self.value',
  'cross.output': 'crossattention.output.dense',
  crossNorm: 'crossattention.output.LayerNorm',
  'ffn.expand': 'intermediate.dense',
  'ffn.contract': 'output.dense',
  ffnNorm: 'output.LayerNorm',
};

/** Before the number of a layer. */
export const blipBlocks = {
  vision: 'vision_model.encoder.layers',
  encoder: 'text_encoder.encoder.layer',
  decoder: 'text_decoder.bert.encoder.layer',
} as const;

const embeddingsOf = (ours: 'encoder' | 'decoder', theirs: string): NameTable => ({
  [`${ours}.words`]: { name: `${theirs}.embeddings.word_embeddings.weight`, arrangement: 'same' },
  [`${ours}.positions`]: { name: `${theirs}.embeddings.position_embeddings.weight`, arrangement: 'same' },
  [`${ours}.embeddingNorm`]: `${theirs}.embeddings.LayerNorm`,
});

const WORDS_BIAS = 'text_decoder.cls.predictions.bias';
const SAME_BIAS = 'text_decoder.cls.predictions.decoder.bias';
const SAME_WORDS = 'text_decoder.cls.predictions.decoder.weight';

/** Our paths → the names in a BLIP of transformers, whose bias of the words may be stored under another name. */
export const blipNaming = (wordsBias: string): Naming =>
  namingOf({
    towers: {
      'vision.': { blocks: blipBlocks.vision, inBlock: inVision },
      'encoder.': { blocks: blipBlocks.encoder, inBlock: inText },
      'decoder.': { blocks: blipBlocks.decoder, inBlock: inText },
    },
    outside: {
      'vision.patchEmbedding.weight': {
        name: 'vision_model.embeddings.patch_embedding.weight',
        arrangement: 'convolution',
      },
      'vision.patchEmbedding.bias': 'vision_model.embeddings.patch_embedding.bias',
      'vision.classToken': { name: 'vision_model.embeddings.class_embedding', arrangement: 'batched' },
      'vision.positions': { name: 'vision_model.embeddings.position_embedding', arrangement: 'batched' },
      'vision.norm': 'vision_model.post_layernorm',
      ...embeddingsOf('encoder', 'text_encoder'),
      ...embeddingsOf('decoder', 'text_decoder.bert'),
      'decoder.head.transform': 'text_decoder.cls.predictions.transform.dense',
      'decoder.head.norm': 'text_decoder.cls.predictions.transform.LayerNorm',
      'decoder.head.bias': { name: wordsBias },
      'embeddings.vision': 'vision_proj',
      'embeddings.text': 'text_proj',
      'embeddings.match': 'itm_head',
    },
  });

/** The naming as transformers saves models. */
export const savedNaming = blipNaming(WORDS_BIAS);

/** The naming of a checkpoint, in which tensors that are one may be stored once, under either name, or twice. */
export const namingIn = ({ tensors }: Pick<Checkpoint, 'tensors'>): Naming =>
  blipNaming(tensors.has(WORDS_BIAS) ? WORDS_BIAS : SAME_BIAS);

/** Why a tensor is no part of the model. */
export function leftOutOfBlip({
  tensors,
}: Pick<Checkpoint, 'tensors'>): (name: string) => string | undefined {
  return (name) => {
    if (name.endsWith('.embeddings.position_ids')) return 'positions are counted, not stored';
    if (name === SAME_WORDS) return 'it is the matrix of the words';
    if (name === SAME_BIAS && tensors.has(WORDS_BIAS)) return `it is ${WORDS_BIAS}`;
    return undefined;
  };
}

/** Whether there is a text stack of BLIP's beside its vision tower. */
export const hasBlipNames = (tensors: Checkpoint['tensors']): boolean =>
  tensors.has('vision_model.embeddings.position_embedding') &&
  (tensors.has('text_decoder.bert.embeddings.word_embeddings.weight') ||
    tensors.has('text_encoder.embeddings.word_embeddings.weight'));

/** Finds the purpose of a checkpoint, by the parts that it has. */
export function purposeIn(tensors: Checkpoint['tensors']): BlipConfig['purpose'] {
  if (tensors.has('itm_head.weight')) return 'retrieval';
  return tensors.has('text_encoder.embeddings.word_embeddings.weight') ? 'questions' : 'captions';
}
