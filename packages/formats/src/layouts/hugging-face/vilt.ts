import { type ViltConfig, viltFamily } from '@winnow/core';
import { z } from 'zod';
import type { Checkpoint } from '../../checkpoint/checkpoint';
import { FormatError } from '../../file/format-error';
import { checkJson } from '../../file/json';
import { classNamesIn } from '../class-names';
import { beyond } from '../features';
import { count, only, side, wholeObject } from '../fields';
import { checkLayers } from '../layers';
import { defineLayout } from '../layout';
import { type NameTable, type Naming, namingOf } from '../naming';
import { hasWholePatches, wholePatches } from '../patches';
import { huggingFaceClassNames, theirClassNames } from './class-names';
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

const VILT = 'a ViLT';
/** BERT's [SEP], which ends the texts of every published ViLT. */
const SEPARATOR = 102;

/** Several right answers or one: the logits are the same. */
const { problem_type: _, ...refused } = commonlyRefused;

const viltConfig = wholeObject({
  understood: {
    vocab_size: count.default(30_522),
    type_vocab_size: count.default(2),
    modality_type_vocab_size: count.min(2).default(2),
    max_position_embeddings: count.min(2).default(40),
    sep_token_id: z.int('expected one token').nonnegative().nullish(),
    hidden_size: count.default(768),
    num_hidden_layers: count.default(12),
    num_attention_heads: count.default(12),
    intermediate_size: count.default(3072),
    hidden_act: hiddenAct.default('gelu'),
    layer_norm_eps: z.number().positive().default(1e-12),
    image_size: side('pictures').default(384),
    patch_size: side('patches').default(32),
    num_channels: count.default(3),
    qkv_bias: z.boolean().nullish(),
    tie_word_embeddings: only(true, 'words that are guessed have the matrix of words that are read'),
  },
  refused: { ...refused, max_image_length: only(-1, 'all patches are looked at') },
  // How many pictures there are is told by the classifier.
  immaterial: [...commonlyImmaterial, 'num_images', 'problem_type', 'classifier_dropout'],
})
  .refine(hasWholeHeads, wholeHeads)
  .refine(hasWholePatches, wholePatches)
  .refine(({ sep_token_id, vocab_size }) => (sep_token_id ?? SEPARATOR) < vocab_size, {
    path: ['vocab_size'],
    message: 'expected a vocabulary with sep_token_id',
  });

const inBlock: NameTable = {
  attentionNorm: 'layernorm_before',
  'attention.query': 'attention.attention.query',
  'attention.key': 'attention.attention.key',
  'attention.value': 'attention.attention.value',
  'attention.output': 'attention.output.dense',
  ffnNorm: 'layernorm_after',
  'ffn.expand': 'intermediate.dense',
  'ffn.contract': 'output.dense',
};
const EMBEDDINGS = 'vilt.embeddings';
const BLOCKS = 'vilt.encoder.layer';
const CLASSIFIER = 'classifier.3.weight';

/** Our paths → the names in a ViLT of transformers. */
export const viltNaming: Naming = namingOf({
  towers: { 'vision.': { blocks: BLOCKS, inBlock } },
  outside: {
    'vision.patchEmbedding.weight': {
      name: `${EMBEDDINGS}.patch_embeddings.projection.weight`,
      arrangement: 'convolution',
    },
    'vision.patchEmbedding.bias': `${EMBEDDINGS}.patch_embeddings.projection.bias`,
    'vision.classToken': { name: `${EMBEDDINGS}.cls_token`, arrangement: 'batched' },
    'vision.positions': { name: `${EMBEDDINGS}.position_embeddings`, arrangement: 'batched' },
    'vision.norm': 'vilt.layernorm',
    'text.words': { name: `${EMBEDDINGS}.text_embeddings.word_embeddings.weight`, arrangement: 'same' },
    'text.positions': {
      name: `${EMBEDDINGS}.text_embeddings.position_embeddings.weight`,
      arrangement: 'same',
    },
    'text.types': { name: `${EMBEDDINGS}.text_embeddings.token_type_embeddings.weight`, arrangement: 'same' },
    'text.norm': `${EMBEDDINGS}.text_embeddings.LayerNorm`,
    modalities: { name: `${EMBEDDINGS}.token_type_embeddings.weight`, arrangement: 'same' },
    pooler: 'vilt.pooler.dense',
    'head.first': 'classifier.0',
    'head.norm': 'classifier.1',
    'head.last': 'classifier.3',
    rank: 'rank_output',
  },
});

/** Finds the purpose of the head, by its shape. @throws {FormatError} where there is none. */
function headIn({ file, tensors }: Checkpoint, width: number): ViltConfig['head'] {
  if (tensors.has('rank_output.weight')) return { kind: 'retrieval' };
  const [answers] = tensors.get(CLASSIFIER)?.shape ?? [];
  const [, read] = tensors.get('classifier.0.weight')?.shape ?? [];
  if (answers === undefined || read === undefined) {
    throw new FormatError(
      `${file}: expected a ViLT for questions or for statements about two pictures, with a classifier (${CLASSIFIER}), or for retrieval (rank_output.weight), got none: others are not read`,
    );
  }
  return read === 2 * width && answers === 2 ? { kind: 'statements' } : { kind: 'answers', answers };
}

const architectures = {
  answers: 'ViltForQuestionAnswering',
  statements: 'ViltForImagesAndTextClassification',
  retrieval: 'ViltForImageAndTextRetrieval',
} as const;

const positionIds = /\.position_ids$/;

/** ViltForQuestionAnswering, ViltForImagesAndTextClassification and ViltForImageAndTextRetrieval. */
export const huggingFaceVilt = defineLayout<ViltConfig>({
  family: viltFamily,
  source: 'Hugging Face',
  models: VILT,
  anchors: [`${EMBEDDINGS}.cls_token`],
  normalisation: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  recognises: (tensors) => tensors.has(`${EMBEDDINGS}.cls_token`),
  modelTypes: { vilt: 'vilt' },
  read: (checkpoint) => {
    const stated = configOf(checkpoint);
    const found = checkJson(stated.file, stated.json, viltConfig, `the configuration of ${VILT}`);
    checkLayers(checkpoint, {
      prefix: `${BLOCKS}.`,
      stated: found.num_hidden_layers,
      source: `num_hidden_layers in ${stated.file}`,
    });
    const head = headIn(checkpoint, found.hidden_size);
    return {
      config: {
        kind: 'vilt',
        vision: {
          imageSize: found.image_size,
          patchSize: found.patch_size,
          channels: found.num_channels,
          distillation: 'none',
          embeddingNorm: false,
          patchBias: true,
          tower: {
            ...towerOf(found, { causal: false }),
            ...(found.qkv_bias === false ? { inputBias: false as const } : {}),
          },
        },
        text: {
          vocabulary: found.vocab_size,
          context: found.max_position_embeddings,
          endToken: found.sep_token_id ?? SEPARATOR,
          types: found.type_vocab_size,
          normEpsilon: found.layer_norm_eps,
        },
        modalities: found.modality_type_vocab_size,
        head,
      },
      naming: viltNaming,
      classNames:
        head.kind === 'answers' ? classNamesIn(stated, head.answers, huggingFaceClassNames) : undefined,
      leftOut: (name) => (positionIds.test(name) ? 'positions are counted, not stored' : undefined),
    };
  },
  write: (config, classNames) => {
    const { vision, text, modalities, head } = config;
    if (head.kind === 'matching')
      throw notExpressible(
        'expected a ViLT for answers, statements or retrieval: transformers has none with both heads of a pre-training',
      );
    if (text.types === undefined)
      throw notExpressible("expected BERT's table of token types, which every ViLT of transformers has");
    if (text.normEpsilon !== vision.tower.normEpsilon)
      throw notExpressible('expected one epsilon for all norms');
    const strange = beyond(vision, ['noInputBias']);
    if (strange !== undefined)
      throw notExpressible(`expected a plain ViT as the trunk, got one with ${strange}`);
    return {
      json: {
        architectures: [architectures[head.kind]],
        model_type: 'vilt',
        ...theirTower(vision.tower, { saysBias: true }),
        qkv_bias: vision.tower.inputBias !== false,
        image_size: theirSquare(vision.imageSize, 'the ViLT'),
        patch_size: vision.patchSize,
        num_channels: vision.channels,
        vocab_size: text.vocabulary,
        max_position_embeddings: text.context,
        type_vocab_size: text.types,
        modality_type_vocab_size: modalities,
        sep_token_id: text.endToken,
        num_images: head.kind === 'statements' ? 2 : -1,
        ...(head.kind === 'retrieval'
          ? {}
          : theirClassNames(head.kind === 'answers' ? head.answers : 2, classNames)),
      },
      naming: viltNaming,
    };
  },
});
