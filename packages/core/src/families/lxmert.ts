import { type Tensor1D, type Tensor2D, mul, tanh } from '@tensorflow/tfjs-core';
import type { Decision } from '../decision/decision';
import {
  type BertLayerParams,
  type CrossModalParams,
  bertLayer,
  crossModalLayer,
  throughLayers,
} from '../layers/bert-layer';
import { modelPlace, placed, stack, together } from '../layers/layer';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import { observeUnder } from '../layers/observe';
import type { ParameterSpec } from '../layers/parameter';
import { firstTokens } from '../layers/tower';
import { type AnswerHeadParams, answerHead } from './answer-head';
import { type BertWordsParams, bertWords } from './bert-words';
import { defineFamily } from './family';
import { hooksUnder } from './hooks';
import { type LxmertConfig, lxmertSchema } from './lxmert-config';
import { type Model, described, shrunkConfig } from './model';
import type { Logits } from './prediction';
import { type RegionEmbeddingParams, regionEmbedding } from './region-embedding';
import type { RegionInputs } from './region-inputs';
import { readTokens } from './text-tower';
import { tied } from './ties';

export type LxmertParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  text: BertWordsParams<Matrix, Vector> & { blocks: BertLayerParams<Matrix, Vector>[] };
  vision: RegionEmbeddingParams<Matrix, Vector> & { blocks: BertLayerParams<Matrix, Vector>[] };
  cross: { blocks: CrossModalParams<Matrix, Vector>[] };
  pooler: LinearParams<Matrix, Vector>; // [D, D]
  head: AnswerHeadParams<Matrix, Vector>;
};

export interface Lxmert extends Model<LxmertParams, RegionInputs, Logits> {
  readonly config: LxmertConfig;
  readonly specs: LxmertParams<ParameterSpec, ParameterSpec>;
  shrink(decision: Decision): Lxmert;
}

/**
 * LXMERT (Tan and Bansal, 2019; airsplay/lxmert) with its head for answers, without dropout: `logits` [B, A], and
 * `regions` [B·R, D], which the head does not read. Embeddings, what regions
 * are projected by and the head have no sites. With ties its parameters are those that are stored.
 */
export function lxmert({ ties, ...config }: LxmertConfig): Lxmert {
  const whole = untied(config);
  return ties === undefined ? whole : { ...tied(whole, ties), config: { ...config, ties } };
}

function untied(config: LxmertConfig): Lxmert {
  const { text, vision, cross, embedDim: D } = config;
  const [words, regions, once] = [text.context, vision.regions, 1].map((tokens) => ({ uses: [{ tokens }] }));
  if (words === undefined || regions === undefined || once === undefined)
    throw new RangeError('expected uses');
  const [embedding, regionsIn, answering] = [
    bertWords(text, config),
    regionEmbedding(vision, config),
    answerHead(D, config.answers),
  ];
  const textLayers = text.blocks.map((shape) => bertLayer(config, shape));
  const visionLayers = vision.blocks.map((shape) => bertLayer(config, shape));
  const crossLayers = cross.blocks.map((shape) =>
    crossModalLayer(config, shape, { tokens: text.context, regions: vision.regions }),
  );
  const layer = together({
    text: placed(
      { tower: 'text', config: 'text', ...words },
      together({
        ...embedding.parts,
        blocks: stack(textLayers, 'blocks'),
      }),
    ),
    vision: placed(
      { tower: 'vision', config: 'vision', ...regions },
      together({
        ...regionsIn.parts,
        blocks: stack(visionLayers, 'blocks'),
      }),
    ),
    cross: placed({ tower: 'cross', config: 'cross' }, together({ blocks: stack(crossLayers, 'blocks') })),
    pooler: placed(once, linearLayer(D, D)),
    head: placed(once, answering.layer),
  });
  const model = described(config, layer, modelPlace('text'));

  return {
    ...model,
    readout: { projections: [{ parameter: 'pooler.weight', tower: 'cross' }], heads: ['head'] },
    forward: (params, inputs) => {
      const { tokens, features, counts, observe, ...hooks } = inputs;
      const read = readTokens(tokens, text.endToken);
      const [length, count] = [tokens.shape[1], features.shape[1]];
      const told = throughLayers(
        textLayers,
        params.text.blocks,
        embedding.embed(params.text, tokens, hooks),
        {
          ...{ tokens: length, counts: read },
          observe: observeUnder(observeUnder(observe, 'text'), 'blocks'),
        },
      );
      const seen = regionsIn.embed(params.vision, { ...inputs, ...hooksUnder(inputs, 'vision') });
      const shown = throughLayers(visionLayers, params.vision.blocks, mul(seen, 0.5), {
        ...{ tokens: count, counts },
        observe: observeUnder(observeUnder(observe, 'vision'), 'blocks'),
      });
      const inCross = observeUnder(observeUnder(observe, 'cross'), 'blocks');
      const streams = crossLayers.reduce(
        (below, each, index) => {
          const own = params.cross.blocks[index];
          if (own === undefined)
            throw new RangeError(`there are no parameters for cross-modal layer ${index}`);
          const both = {
            text: { states: below.text, tokens: length, counts: read },
            vision: { states: below.vision, tokens: count, counts },
          };
          return each.run(own, both, observeUnder(inCross, String(index)));
        },
        { text: told, vision: shown },
      );
      const first = firstTokens(streams.text, length, 1);
      const pooled = tanh(project(first, params.pooler, 'pooler', observe));
      return { logits: answering.run(params.head, pooled, observe), pooled, regions: streams.vision };
    },
    shrink: (decision) => lxmert(shrunkConfig(config, model.sites, decision)),
  };
}

export const lxmertFamily = defineFamily<LxmertConfig, Lxmert>({
  kind: 'lxmert',
  schema: lxmertSchema,
  build: lxmert,
  towers: () => ({}),
  classes: ({ answers }) => answers,
  summary: ({ text, vision, cross, embedDim, heads, answers }) =>
    [
      `LXMERT for ${answers} answers: ${text.blocks.length} layers of texts, ${vision.blocks.length} of regions and ${cross.blocks.length} of both, width ${embedDim}, ${heads} heads`,
      `  texts of up to ${text.positions} of ${text.vocabulary} tokens; regions of ${vision.features} features and ${vision.places} places`,
    ].join('\n'),
});
