import { type LxmertConfig, lxmertFamily } from '@winnow/core';
import { z } from 'zod';
import type { Checkpoint } from '../../checkpoint/checkpoint';
import { FormatError } from '../../file/format-error';
import { checkJson } from '../../file/json';
import { classNamesIn } from '../class-names';
import { count, only, wholeObject } from '../fields';
import { checkLayers } from '../layers';
import { defineLayout } from '../layout';
import { type NameTable, type Naming, namingOf } from '../naming';
import { huggingFaceClassNames } from './class-names';
import { commonlyImmaterial, commonlyRefused } from './common-fields';
import { configOf } from './config-file';
import { hasWholeHeads, hiddenAct, towerOf, wholeHeads } from './tower';

const LXMERT = 'an LXMERT';
/** BERT's [SEP], which ends the texts of the published LXMERT. */
const SEPARATOR = 102;
const ENCODER = 'lxmert.encoder';
const ANSWERS = 'answer_head.logit_fc.3.weight';

const lxmertConfig = wholeObject({
  understood: {
    vocab_size: count.default(30_522),
    type_vocab_size: count.default(2),
    max_position_embeddings: count.min(2).default(512),
    sep_token_id: z.int('expected one token').nonnegative().nullish(),
    hidden_size: count.default(768),
    num_attention_heads: count.default(12),
    intermediate_size: count.default(3072),
    hidden_act: hiddenAct.default('gelu'),
    l_layers: count.default(9),
    r_layers: count.default(5),
    x_layers: count.default(5),
    visual_feat_dim: count.default(2048),
    visual_pos_dim: count.default(4),
    layer_norm_eps: only(1e-12, 'its layers have this epsilon whatever is said'),
  },
  refused: commonlyRefused,
  // How it was pre-trained, and sizes that the tensors say.
  immaterial: [
    ...commonlyImmaterial,
    ...[
      'num_qa_labels',
      'num_object_labels',
      'num_attr_labels',
      'num_hidden_layers',
      'visual_loss_normalizer',
    ],
    ...['task_matched', 'task_mask_lm', 'task_obj_predict', 'task_qa'],
    ...['visual_obj_loss', 'visual_attr_loss', 'visual_feat_loss'],
  ],
})
  .refine(
    ({ hidden_size, num_attention_heads }) => hasWholeHeads(sized({ hidden_size, num_attention_heads })),
    wholeHeads,
  )
  .refine(({ sep_token_id, vocab_size }) => (sep_token_id ?? SEPARATOR) < vocab_size, {
    path: ['vocab_size'],
    message: 'expected a vocabulary with sep_token_id',
  });

/** Layers of one size, as the reader of towers takes them. */
const sized = <Own extends { readonly hidden_size: number; readonly num_attention_heads: number }>(
  own: Own,
) => ({
  intermediate_size: 1,
  hidden_act: 'gelu' as const,
  ...own,
  num_hidden_layers: 1,
  layer_norm_eps: 1e-12,
});

const bert = (attention: string, output: string, inner: string, outer: string): NameTable => ({
  'attention.query': `${attention}.query`,
  'attention.key': `${attention}.key`,
  'attention.value': `${attention}.value`,
  'attention.output': `${output}.dense`,
  attentionNorm: `${output}.LayerNorm`,
  'ffn.expand': `${inner}.dense`,
  'ffn.contract': `${outer}.dense`,
  ffnNorm: `${outer}.LayerNorm`,
});
const prefixed = (prefix: string, table: NameTable): NameTable =>
  Object.fromEntries(Object.entries(table).map(([key, name]) => [`${prefix}.${key}`, name]));

const alone = bert('attention.self', 'attention.output', 'intermediate', 'output');
const together: NameTable = {
  'cross.query': 'visual_attention.att.query',
  'cross.key': 'visual_attention.att.key',
  'cross.value': 'visual_attention.att.value',
  'cross.output': 'visual_attention.output.dense',
  crossNorm: 'visual_attention.output.LayerNorm',
  ...prefixed('text', bert('lang_self_att.self', 'lang_self_att.output', 'lang_inter', 'lang_output')),
  ...prefixed('vision', bert('visn_self_att.self', 'visn_self_att.output', 'visn_inter', 'visn_output')),
};
const embedding = (name: string) =>
  ({ name: `lxmert.embeddings.${name}.weight`, arrangement: 'same' }) as const;

/** Our paths → the names in an LXMERT of transformers. */
export const lxmertNaming: Naming = namingOf({
  towers: {
    'text.': { blocks: `${ENCODER}.layer`, inBlock: alone },
    'vision.': { blocks: `${ENCODER}.r_layers`, inBlock: alone },
    'cross.': { blocks: `${ENCODER}.x_layers`, inBlock: together },
  },
  outside: {
    'text.words': embedding('word_embeddings'),
    'text.positions': embedding('position_embeddings'),
    'text.types': embedding('token_type_embeddings'),
    'text.norm': 'lxmert.embeddings.LayerNorm',
    'vision.features': `${ENCODER}.visn_fc.visn_fc`,
    'vision.featuresNorm': `${ENCODER}.visn_fc.visn_layer_norm`,
    'vision.places': `${ENCODER}.visn_fc.box_fc`,
    'vision.placesNorm': `${ENCODER}.visn_fc.box_layer_norm`,
    pooler: 'lxmert.pooler.dense',
    'head.first': 'answer_head.logit_fc.0',
    'head.norm': 'answer_head.logit_fc.2',
    'head.last': 'answer_head.logit_fc.3',
  },
});

/** Tokens and regions of the examples that accounts are about: those of LXMERT's code. */
const usual = { context: 20, regions: 36 } as const;

function answersIn({ file, tensors }: Checkpoint): number {
  const [answers] = tensors.get(ANSWERS)?.shape ?? [];
  if (answers !== undefined) return answers;
  throw new FormatError(
    `${file}: expected an LXMERT for questions, with a head for answers (${ANSWERS}), got none: others are not read`,
  );
}

const ofPretraining = /^(cls\.|obj_predict_head\.)/;

/** LxmertForQuestionAnswering. */
export const huggingFaceLxmert = defineLayout<LxmertConfig>({
  family: lxmertFamily,
  source: 'Hugging Face',
  models: LXMERT,
  anchors: [`${ENCODER}.visn_fc.visn_fc.weight`],
  recognises: (tensors) => tensors.has(`${ENCODER}.visn_fc.visn_fc.weight`),
  modelTypes: { lxmert: 'lxmert' },
  read: (checkpoint) => {
    const stated = configOf(checkpoint);
    const found = checkJson(stated.file, stated.json, lxmertConfig, `the configuration of ${LXMERT}`);
    const counts = { layer: 'l_layers', r_layers: 'r_layers', x_layers: 'x_layers' } as const;
    for (const [name, field] of Object.entries(counts)) {
      checkLayers(checkpoint, {
        prefix: `${ENCODER}.${name}.`,
        stated: found[field],
        source: `${field} in ${stated.file}`,
      });
    }
    const { embedDim, heads, denseHeadDim, activation, normEpsilon, blocks } = towerOf(sized(found), {
      causal: false,
    });
    const [block = { headDim: denseHeadDim, hiddenDim: found.intermediate_size }] = blocks;
    const some = <Shape>(length: number, shape: Shape): Shape[] => Array.from({ length }, () => shape);
    const answers = answersIn(checkpoint);
    const positions = found.max_position_embeddings;
    return {
      config: {
        kind: 'lxmert',
        text: {
          vocabulary: found.vocab_size,
          context: Math.min(usual.context, positions),
          positions,
          endToken: found.sep_token_id ?? SEPARATOR,
          types: found.type_vocab_size,
          blocks: some(found.l_layers, block),
        },
        vision: {
          features: found.visual_feat_dim,
          places: found.visual_pos_dim,
          regions: usual.regions,
          blocks: some(found.r_layers, block),
        },
        cross: {
          blocks: some(found.x_layers, { cross: { headDim: block.headDim }, text: block, vision: block }),
        },
        embedDim,
        heads,
        denseHeadDim,
        activation,
        normEpsilon,
        answers,
      },
      naming: lxmertNaming,
      classNames: classNamesIn(stated, answers, huggingFaceClassNames),
      leftOut: (name) =>
        name.endsWith('.position_ids')
          ? 'positions are counted, not stored'
          : ofPretraining.test(name)
            ? 'it is for pre-training'
            : undefined,
    };
  },
});
