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
import type { Decision } from '../decision/decision';
import { type BertLayerParams, bertLayer, throughLayers } from '../layers/bert-layer';
import { modelPlace, placed, stack, together } from '../layers/layer';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import { type LayerNormParams, normLayer, normalize } from '../layers/norm';
import { observeCounting, observeUnder } from '../layers/observe';
import type { ParameterSpec } from '../layers/parameter';
import { firstTokens } from '../layers/tower';
import { applied } from '../reparametrisation/reparametrisation';
import { type AnswerHeadParams, answerHead } from './answer-head';
import { type BertWordsParams, bertWords } from './bert-words';
import { defineFamily } from './family';
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
  regions: RegionEmbeddingParams<Matrix, Vector> & { norm: LayerNormParams<Vector> };
  trunk: { blocks: BertLayerParams<Matrix, Vector>[] };
  pooler: LinearParams<Matrix, Vector>; // [D, D]
  head: AnswerHeadParams<Matrix, Vector>;
};

/** What the trunk makes of texts and the regions of a picture each. */
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
 * the first word is read: `logits` [B, A]. Embeddings, what regions are projected by and the head have no sites. Without dropout. With
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
  const { text, regions, trunk, embedDim: D, normEpsilon } = config;
  const used = (tokens: number) => ({ uses: [{ tokens }] });
  const words = bertWords(text, config);
  const shown = regionEmbedding(regions, config);
  const answering = answerHead(D, config.answers);
  const layers = trunk.blocks.map((shape) => bertLayer(config, shape));
  const layer = together({
    text: placed(used(text.context), together(words.parts)),
    regions: placed(used(regions.count), together({ ...shown.parts, norm: normLayer(D, normEpsilon) })),
    trunk: placed(
      { tower: 'trunk', config: 'trunk', ...used(text.context + regions.count) },
      together({ blocks: stack(layers, 'blocks') }),
    ),
    pooler: placed(used(1), linearLayer(D, D)),
    head: placed(used(1), answering.layer),
  });
  const model = described(config, layer, modelPlace('trunk'));

  const embedRegions = (params: UniterParams, inputs: RegionInputs): Tensor2D => {
    const seen = shown.embed(params.regions, { ...inputs, ...hooksUnder(inputs, 'regions') });
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
    readout: { projections: [{ parameter: 'pooler.weight', tower: 'trunk' }], heads: ['head'] },
    states,
    forward: (params, inputs) => {
      const { pooled } = states(params, inputs);
      return { logits: answering.run(params.head, pooled, inputs.observe), pooled };
    },
    shrink: (decision) => uniter(shrunkConfig(config, model.sites, decision)),
  };
}

export const uniterFamily = defineFamily<UniterConfig, Uniter>({
  kind: 'uniter',
  schema: uniterSchema,
  build: uniter,
  towers: () => ({}),
  classes: ({ answers }) => answers,
  summary: ({ text, regions, trunk, embedDim, heads, answers }) =>
    [
      `UNITER for ${answers} answers: words and regions in one trunk of ${trunk.blocks.length} layers, width ${embedDim}, ${heads} heads`,
      `  texts of up to ${text.positions} of ${text.vocabulary} tokens; regions of ${regions.features} features and ${regions.places} places`,
    ].join('\n'),
});
