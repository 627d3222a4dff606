import {
  type Rank,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  add,
  concat,
  ones,
  reshape,
  slice,
  tanh,
} from '@tensorflow/tfjs-core';
import { counted } from '../text/counted';
import type { Decision } from '../decision/decision';
import { type BertLayerParams, bertLayer, throughLayers } from '../layers/bert-layer';
import { bare, modelPlace, placed, stack, together } from '../layers/layer';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import { type LayerNormParams, normLayer, normalize } from '../layers/norm';
import { type Observe, observeCounting, observeUnder } from '../layers/observe';
import { type ParameterSpec, normal } from '../layers/parameter';
import { firstTokens } from '../layers/tower';
import { applied } from '../reparametrisation/reparametrisation';
import { type AnswerHeadParams, answerHead } from './answer-head';
import { type BertWordsParams, bertWords } from './bert-words';
import { defineFamily } from './family';
import { type HiddenHeadParams, hiddenHead, hiddenHeadKeys, withHidden } from './hidden-head';
import { hooksUnder } from './hooks';
import { type Model, described, shrunkConfig } from './model';
import { type PairedHeadParams, pairedHead } from './paired-head';
import type { Logits } from './prediction';
import { type RegionEmbeddingParams, regionEmbedding } from './region-embedding';
import type { RegionInputs } from './region-inputs';
import { readTokens } from './text-tower';
import { choiceAmong, inputsOfPicture, statesOfRegions } from './region-choice';
import { type RegionHead, picturesOfRegionHead } from './region-head';
import { tied } from './ties';
import { type UniterConfig, uniterSchema } from './uniter-config';

export type UniterParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  text: BertWordsParams<Matrix, Vector>;
  regions: RegionEmbeddingParams<Matrix, Vector> & {
    norm: LayerNormParams<Vector>;
    mask?: Matrix; // [1, F], in place of features that are hidden
  };
  trunk: { blocks: BertLayerParams<Matrix, Vector>[] };
  pooler?: LinearParams<Matrix, Vector>; // [D, D]
  head?: AnswerHeadParams<Matrix, Vector>;
  paired?: PairedHeadParams<Matrix, Vector>;
  rank?: LinearParams<Matrix, Vector>; // [D, 1]
} & HiddenHeadParams<Matrix, Vector>;

/** The states of texts, and of the regions of a picture each, behind the trunk. */
export interface UniterStates {
  /** Words and regions of each example, [B, T + R, D]. */
  readonly all: Tensor3D;
  /** [B, T + R], 1 where a word or a region is read and 0 where it is padding. */
  readonly read: Tensor2D;
}

export interface Uniter extends Model<UniterParams, RegionInputs, Logits> {
  readonly config: UniterConfig;
  readonly specs: UniterParams<ParameterSpec, ParameterSpec>;
  states(params: UniterParams, inputs: RegionInputs): UniterStates;
  shrink(decision: Decision): Uniter;
}

/**
 * UNITER (Chen et al., 2020; ChenRocks/UNITER, `model/model.py`): words and regions go through one trunk of BERT's layers together. What
 * is read of it goes by its head: `logits` [B, A] of answers; [B, 2] of a statement, whose pictures have regions [2·B, R, F], the two of
 * it one after the other; [B, 1], how well both belong together; [B, R] of the region that a text means. For pre-training `logits` [B, 2]
 * of belonging together, `words` [B·T, V], `regions` [B·R, F], if asked for `classes` [B·R, C], and the states of both, `told` [B, T, D] and `seen` [B, R, D]. Embeddings,
 * what regions are projected by and heads have no sites. Without dropout. With ties its parameters are those that are stored.
 */
export function uniter({ ties, ...config }: UniterConfig): Uniter {
  const whole = untied(config);
  if (ties === undefined) return whole;
  const model = tied(whole, ties);
  return {
    ...model,
    config: { ...config, ties },
    states: (params, inputs) => whole.states(applied(model.running.reparametrisation, params), inputs),
  };
}

function untied(config: UniterConfig): Uniter {
  const { text, regions, trunk, head, embedDim: D, normEpsilon } = config;
  const pictures = picturesOfRegionHead(head);
  const used = (tokens: number) => ({ uses: Array.from({ length: pictures }, () => ({ tokens })) });
  const words = bertWords(text, config);
  const shown = regionEmbedding(regions, config);
  const answering = answeringHead(head, D);
  const paired = pairedHead(config, text.context + regions.count);
  const guessing = head.kind === 'pre-training' ? hiddenHead(head, config) : undefined;
  const layers = trunk.blocks.map((shape) => bertLayer(config, shape));
  const layer = together({
    text: placed(used(text.context), together(words.parts)),
    regions: placed(
      used(regions.count),
      together({
        ...shown.parts,
        norm: normLayer(D, normEpsilon),
        ...(head.kind === 'pre-training' ? { mask: bare(normal([1, regions.features], 0.02)) } : {}),
      }),
    ),
    trunk: placed(
      { tower: 'trunk', config: 'trunk', ...used(text.context + regions.count) },
      together({ blocks: stack(layers, 'blocks') }),
    ),
    ...(readsFirst(head) ? { pooler: placed(used(1), linearLayer(D, D)) } : {}),
    ...(answering === undefined
      ? {}
      : { head: placed(used(head.kind === 'expressions' ? regions.count : 1), answering.layer) }),
    ...(head.kind === 'statements' ? { paired: paired.layer } : {}),
    ...(head.kind === 'retrieval' ? { rank: placed(used(1), linearLayer(D, 1)) } : {}),
    ...(guessing === undefined ? {} : guessing.parts),
  });
  const model = described(config, layer, modelPlace('trunk'));

  const embedRegions = (params: UniterParams, inputs: RegionInputs): Tensor2D => {
    const features = withHidden(inputs, params.regions.mask);
    const seen = shown.embed(params.regions, { ...inputs, ...hooksUnder(inputs, 'regions'), features });
    const typed = add<Tensor2D>(seen, slice(params.text.types, [1, 0], [1, D]));
    return normalize(typed, params.regions.norm, normEpsilon);
  };

  const states = (params: UniterParams, inputs: RegionInputs): UniterStates => {
    const { tokens, features, counts, observe } = inputs;
    const [batch, length] = tokens.shape;
    const count = features.shape[1];
    const all = length + count;
    const told: Tensor3D = reshape(words.embed(params.text, tokens, inputs), [batch, length, D]);
    const seen: Tensor3D = reshape(embedRegions(params, inputs), [batch, count, D]);
    const real = counts ?? ones<Rank.R2>([batch, count]);
    const read: Tensor2D = concat([readTokens(tokens, text.endToken), real], 1);
    const sequence: Tensor2D = reshape(concat([told, seen], 1), [batch * all, D]);
    const inTrunk = observeUnder(observeUnder(observe, 'trunk'), 'blocks');
    const passed = throughLayers(layers, params.trunk.blocks, sequence, {
      tokens: all,
      counts: read,
      observe: observeCounting(inTrunk, () => read),
    });
    return { all: reshape(passed, [batch, all, D]), read };
  };

  const pooled = (params: UniterParams, { all }: UniterStates, observe: Observe | undefined): Tensor2D => {
    if (params.pooler === undefined) throw unlearned('pooler');
    const [batch, tokens] = all.shape;
    const first = firstTokens(reshape(all, [batch * tokens, D]), tokens, 1);
    return tanh(project(first, params.pooler, 'pooler', observe));
  };

  const guesses = (params: UniterParams, inputs: RegionInputs): Logits => {
    if (guessing === undefined) throw unlearned('heads');
    const found = states(params, inputs);
    const [batch, tokens] = found.all.shape;
    const length = inputs.tokens.shape[1];
    return guessing.run(
      { heads: params, words: params.text.words, features: params.regions.features.weight },
      {
        pooled: pooled(params, found, inputs.observe),
        told: slice(found.all, [0, 0, 0], [batch, length, D]),
        seen: slice(found.all, [0, length, 0], [batch, tokens - length, D]),
      },
      inputs.observe,
    );
  };

  const forward = (params: UniterParams, inputs: RegionInputs): Logits => {
    const { observe } = inputs;
    switch (head.kind) {
      case 'answers': {
        if (answering === undefined || params.head === undefined) throw unlearned('head');
        const first = pooled(params, states(params, inputs), observe);
        return { logits: answering.run(params.head, first, observe), pooled: first };
      }
      case 'expressions': {
        if (answering === undefined || params.head === undefined) throw unlearned('head');
        const { all, read } = states(params, inputs);
        const [words, count] = [inputs.tokens.shape[1], inputs.features.shape[1]];
        const scores = answering.run(params.head, statesOfRegions(all, words), observe);
        return { logits: choiceAmong(scores, slice(read, [0, words], [all.shape[0], count])) };
      }
      case 'statements': {
        if (params.paired === undefined) throw unlearned('head');
        const [left, right] = [inputsOfPicture(inputs, 0), inputsOfPicture(inputs, 1)];
        const sides = [states(params, left), states(params, right)] as const;
        return { logits: paired.run(params.paired, sides, observe) };
      }
      case 'retrieval': {
        if (params.rank === undefined) throw unlearned('head');
        const first = pooled(params, states(params, inputs), observe);
        return { logits: project(first, params.rank, 'rank', observe), pooled: first };
      }
      case 'pre-training':
        return guesses(params, inputs);
      default:
        return head satisfies never;
    }
  };

  return {
    ...model,
    readout: {
      projections: readsFirst(head) ? [{ parameter: 'pooler.weight', tower: 'trunk' }] : [],
      heads: ['head', 'paired', 'rank', ...hiddenHeadKeys],
    },
    states,
    forward,
    shrink: (decision) => uniter(shrunkConfig(config, model.sites, decision)),
  };
}

/** Whether a head reads the pooled state of the first word; UNITER's others read all states. */
const readsFirst = ({ kind }: RegionHead): boolean => kind !== 'statements' && kind !== 'expressions';

/** The head of answers, or the one that scores each region (ChenRocks/UNITER, `model/re.py`). */
function answeringHead(head: RegionHead, D: number) {
  switch (head.kind) {
    case 'answers':
      return answerHead({ read: D, inner: 2 * D, answers: head.answers });
    case 'expressions':
      return answerHead({ read: D, inner: D, answers: 1 });
    case 'statements':
    case 'retrieval':
    case 'pre-training':
      return undefined;
    default:
      return head satisfies never;
  }
}

const unlearned = (what: string): RangeError => new RangeError(`expected the parameters of its ${what}`);

export const uniterFamily = defineFamily<UniterConfig, Uniter>({
  kind: 'uniter',
  schema: uniterSchema,
  build: uniter,
  towers: () => ({}),
  classes: ({ head }) => (head.kind === 'answers' ? head.answers : 0),
  summary: ({ text, regions, trunk, embedDim, heads, head }) =>
    [
      `UNITER for ${head.kind === 'answers' ? counted(head.answers, 'answer') : head.kind}: words and regions in one trunk of ${counted(trunk.blocks.length, 'layer')}, width ${embedDim}, ${counted(heads, 'head')}`,
      `  texts of up to ${text.positions} of ${text.vocabulary} tokens; regions of ${regions.features} features and ${regions.places} places`,
    ].join('\n'),
});
