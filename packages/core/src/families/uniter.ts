import {
  type Rank,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  add,
  concat,
  mul,
  ones,
  reshape,
  slice,
  sub,
  tanh,
} from '@tensorflow/tfjs-core';
import type { Decision } from '../decision/decision';
import { type BertLayerParams, bertLayer, throughLayers } from '../layers/bert-layer';
import { bare, modelPlace, placed, stack, together } from '../layers/layer';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import { type LayerNormParams, normLayer, normalize } from '../layers/norm';
import { observeCounting, observeUnder } from '../layers/observe';
import { type ParameterSpec, normal } from '../layers/parameter';
import { firstTokens } from '../layers/tower';
import { applied } from '../reparametrisation/reparametrisation';
import { type AnswerHeadParams, answerHead } from './answer-head';
import { type BertWordsParams, bertWords } from './bert-words';
import { defineFamily } from './family';
import { type HiddenParams, guessed, hiddenLayer } from './hidden-words';
import { hooksUnder } from './hooks';
import { type Model, described, shrunkConfig } from './model';
import type { Logits } from './prediction';
import { type RegionEmbeddingParams, regionEmbedding } from './region-embedding';
import type { RegionInputs } from './region-inputs';
import { readTokens } from './text-tower';
import { tied } from './ties';
import { type UniterConfig, uniterSchema } from './uniter-config';

export type UniterParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  text: BertWordsParams<Matrix, Vector>;
  regions: RegionEmbeddingParams<Matrix, Vector> & {
    norm: LayerNormParams<Vector>;
    mask?: Matrix; // [1, F], in place of features that are hidden
  };
  trunk: { blocks: BertLayerParams<Matrix, Vector>[] };
  pooler: LinearParams<Matrix, Vector>; // [D, D]
  head?: AnswerHeadParams<Matrix, Vector>;
  matching?: LinearParams<Matrix, Vector>; // [D, 2]
  hidden?: HiddenParams<Matrix, Vector>;
  hiddenRegions?: HiddenParams<Matrix, Vector>;
};

/** The states of texts, and of the regions of a picture each, behind the trunk. */
export interface UniterStates {
  /** Words and regions of each example, [B, T + R, D]. */
  readonly all: Tensor3D;
  /** [B, T + R], 1 where a word or a region is read and 0 where it is padding. */
  readonly read: Tensor2D;
  /** [B, D] */
  readonly pooled: Tensor2D;
}

export interface Uniter extends Model<UniterParams, RegionInputs, Logits> {
  readonly config: UniterConfig;
  readonly specs: UniterParams<ParameterSpec, ParameterSpec>;
  states(params: UniterParams, inputs: RegionInputs): UniterStates;
  shrink(decision: Decision): Uniter;
}

/**
 * UNITER (Chen et al., 2020; ChenRocks/UNITER, `model/model.py`): words and regions go through one trunk of BERT's layers together, and
 * the first word is read: `logits` [B, A]; for pre-training `logits` [B, 2] of belonging together, `words` [B·T, V], `regions` [B·R, F],
 * and the states of both, `told` [B, T, D] and `seen` [B, R, D]. Embeddings, what regions are projected by and the head have no sites. Without dropout. With
 * ties its parameters are those that are stored.
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
  const used = (tokens: number) => ({ uses: [{ tokens }] });
  const words = bertWords(text, config);
  const shown = regionEmbedding(regions, config);
  const answering = head.kind === 'answers' ? answerHead(D, head.answers) : undefined;
  const layers = trunk.blocks.map((shape) => bertLayer(config, shape));
  const layer = together({
    text: placed(used(text.context), together(words.parts)),
    regions: placed(
      used(regions.count),
      together({
        ...shown.parts,
        norm: normLayer(D, normEpsilon),
        ...(answering === undefined ? { mask: bare(normal([1, regions.features], 0.02)) } : {}),
      }),
    ),
    trunk: placed(
      { tower: 'trunk', config: 'trunk', ...used(text.context + regions.count) },
      together({ blocks: stack(layers, 'blocks') }),
    ),
    pooler: placed(used(1), linearLayer(D, D)),
    ...(answering === undefined
      ? {
          matching: placed(used(1), linearLayer(D, 2)),
          hidden: placed(used(text.context), hiddenLayer(D, text.vocabulary, normEpsilon)),
          hiddenRegions: placed(used(regions.count), hiddenLayer(D, regions.features, normEpsilon)),
        }
      : { head: placed(used(1), answering.layer) }),
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
    const first = firstTokens(passed, all, 1);
    return {
      all: reshape(passed, [batch, all, D]),
      read,
      pooled: tanh(project(first, params.pooler, 'pooler', observe)),
    };
  };

  return {
    ...model,
    readout: {
      projections: [{ parameter: 'pooler.weight', tower: 'trunk' }],
      heads: ['head', 'matching', 'hidden', 'hiddenRegions'],
    },
    states,
    forward: (params, inputs) => {
      const { all, pooled } = states(params, inputs);
      const { observe } = inputs;
      if (answering !== undefined && params.head !== undefined)
        return { logits: answering.run(params.head, pooled, observe), pooled };
      const { matching, hidden, hiddenRegions } = params;
      if (matching === undefined || hidden === undefined || hiddenRegions === undefined)
        throw new RangeError('expected the parameters of its heads');
      const [batch, tokens] = all.shape;
      const length = inputs.tokens.shape[1];
      const told: Tensor3D = slice(all, [0, 0, 0], [batch, length, D]);
      const seen: Tensor3D = slice(all, [0, length, 0], [batch, tokens - length, D]);
      const flat = (states: Tensor3D): Tensor2D => reshape(states, [batch * states.shape[1], D]);
      return {
        logits: project(pooled, matching, 'matching', observe),
        words: guessed(hidden, flat(told), params.text.words, { normEpsilon, observe, key: 'hidden' }),
        regions: guessed(hiddenRegions, flat(seen), params.regions.features.weight, {
          ...{ normEpsilon, observe, key: 'hiddenRegions' },
        }),
        told,
        seen,
      };
    },
    shrink: (decision) => uniter(shrunkConfig(config, model.sites, decision)),
  };
}

/** Features of which some are hidden: a vector that is learned stands in their place. */
function withHidden({ features, hidden }: RegionInputs, mask: Tensor2D | undefined): Tensor3D {
  if (hidden === undefined) return features;
  if (mask === undefined)
    throw new RangeError('expected a model for pre-training, which knows hidden regions');
  const [batch, count, F] = features.shape;
  const away: Tensor3D = reshape(hidden, [batch, count, 1]);
  return add(mul(features, sub(1, away)), mul(away, reshape(mask, [1, 1, F])));
}

export const uniterFamily = defineFamily<UniterConfig, Uniter>({
  kind: 'uniter',
  schema: uniterSchema,
  build: uniter,
  towers: () => ({}),
  classes: ({ head }) => (head.kind === 'answers' ? head.answers : 0),
  summary: ({ text, regions, trunk, embedDim, heads, head }) =>
    [
      `UNITER for ${head.kind === 'answers' ? `${head.answers} answers` : head.kind}: words and regions in one trunk of ${trunk.blocks.length} layers, width ${embedDim}, ${heads} heads`,
      `  texts of up to ${text.positions} of ${text.vocabulary} tokens; regions of ${regions.features} features and ${regions.places} places`,
    ].join('\n'),
});
