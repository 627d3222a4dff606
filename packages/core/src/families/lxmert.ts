import {
  type Rank,
  type Tensor1D,
  type Tensor2D,
  concat,
  mul,
  ones,
  reshape,
  tanh,
} from '@tensorflow/tfjs-core';
import { counted } from '../text/counted';
import type { Decision } from '../decision/decision';
import {
  type BertLayerParams,
  type CrossModalParams,
  bertLayer,
  crossModalLayer,
  throughLayers,
} from '../layers/bert-layer';
import { type Layer, modelPlace, placed, repeated, stack, together } from '../layers/layer';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import { observeUnder } from '../layers/observe';
import type { ParameterSpec } from '../layers/parameter';
import { firstTokens } from '../layers/tower';
import type { Tree } from '../tree/tree';
import { type AnswerHeadParams, answerHead } from './answer-head';
import { type BertWordsParams, bertWords } from './bert-words';
import { defineFamily } from './family';
import { type HiddenHeadParams, hiddenHead, hiddenHeadKeys, withHidden } from './hidden-head';
import { hooksUnder } from './hooks';
import { type LxmertConfig, headOfLxmert, lxmertSchema } from './lxmert-config';
import { type Model, described, shrunkConfig } from './model';
import type { Logits } from './prediction';
import { choiceAmong, inputsOfPicture } from './region-choice';
import { type RegionEmbeddingParams, regionEmbedding } from './region-embedding';
import { type RegionHead, picturesOfRegionHead } from './region-head';
import type { RegionInputs } from './region-inputs';
import { readTokens } from './text-tower';
import { tied } from './ties';

export type LxmertParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  text: BertWordsParams<Matrix, Vector> & { blocks: BertLayerParams<Matrix, Vector>[] };
  vision: RegionEmbeddingParams<Matrix, Vector> & { blocks: BertLayerParams<Matrix, Vector>[] };
  cross: { blocks: CrossModalParams<Matrix, Vector>[] };
  pooler?: LinearParams<Matrix, Vector>; // [D, D]
  head?: AnswerHeadParams<Matrix, Vector>;
} & HiddenHeadParams<Matrix, Vector>;

export interface Lxmert extends Model<LxmertParams, RegionInputs, Logits> {
  readonly config: LxmertConfig;
  readonly specs: LxmertParams<ParameterSpec, ParameterSpec>;
  shrink(decision: Decision): Lxmert;
}

/**
 * LXMERT (Tan and Bansal, 2019; airsplay/lxmert), without dropout. What is read of it goes by its head: `logits` [B, A] of answers; [B, 2]
 * of a statement, whose pictures have regions [2·B, R, F], the two of it one after the other; [B, R] of the region that a text means; for
 * pre-training what UNITER says. Beside them stand the states of what the head does not read, `words` [B·T, D] or `regions` [B·R, D].
 * Embeddings, what regions are projected by and heads have no sites. With ties its parameters are those that are stored.
 */
export function lxmert({ ties, ...config }: LxmertConfig): Lxmert {
  const whole = untied(config);
  return ties === undefined ? whole : { ...tied(whole, ties), config: { ...config, ties } };
}

function untied(config: LxmertConfig): Lxmert {
  const { text, vision, cross, embedDim: D, normEpsilon } = config;
  const head = headOfLxmert(config);
  const pictures = picturesOfRegionHead(head);
  const [words, regions, once] = [
    { uses: [{ tokens: text.context }] },
    { uses: [{ tokens: vision.regions }] },
    { uses: [{ tokens: 1 }] },
  ];
  const [embedding, regionsIn] = [bertWords(text, config), regionEmbedding(vision, config)];
  const answering = headLayers(head, D);
  const guessing =
    head.kind === 'pre-training'
      ? hiddenHead(head, {
          ...{ embedDim: D, normEpsilon, text },
          regions: { ...vision, count: vision.regions },
        })
      : undefined;
  const textLayers = text.blocks.map((shape) => bertLayer(config, shape));
  const visionLayers = vision.blocks.map((shape) => bertLayer(config, shape));
  const crossLayers = cross.blocks.map((shape) =>
    crossModalLayer(config, shape, { tokens: text.context, regions: vision.regions }),
  );
  const often = <Specs extends Tree<ParameterSpec>>(layer: Layer<Specs>): Layer<Specs> =>
    pictures === 1 ? layer : repeated(pictures, layer);
  const layer = together({
    text: often(
      placed(
        { tower: 'text', config: 'text', ...words },
        together({ ...embedding.parts, blocks: stack(textLayers, 'blocks') }),
      ),
    ),
    vision: often(
      placed(
        { tower: 'vision', config: 'vision', ...regions },
        together({ ...regionsIn.parts, blocks: stack(visionLayers, 'blocks') }),
      ),
    ),
    cross: often(
      placed({ tower: 'cross', config: 'cross' }, together({ blocks: stack(crossLayers, 'blocks') })),
    ),
    ...(readsPooled(head) ? { pooler: often(placed(once, linearLayer(D, D))) } : {}),
    ...(answering === undefined
      ? {}
      : { head: placed(head.kind === 'expressions' ? regions : once, answering.layer) }),
    ...(guessing === undefined ? {} : guessing.parts),
  });
  const model = described(config, layer, modelPlace('text'));

  const streamsOf = (params: LxmertParams, inputs: RegionInputs): Streams => {
    const { tokens, counts, observe, ...hooks } = inputs;
    const read = readTokens(tokens, text.endToken);
    const [length, count] = [tokens.shape[1], inputs.features.shape[1]];
    const embedded = embedding.embed(params.text, tokens, hooks);
    const told = throughLayers(textLayers, params.text.blocks, embedded, {
      ...{ tokens: length, counts: read },
      observe: observeUnder(observeUnder(observe, 'text'), 'blocks'),
    });
    // Features that are hidden are zeros here.
    const features = withHidden(inputs, undefined);
    const seen = regionsIn.embed(params.vision, { ...inputs, ...hooksUnder(inputs, 'vision'), features });
    const shown = throughLayers(visionLayers, params.vision.blocks, mul(seen, 0.5), {
      ...{ tokens: count, counts },
      observe: observeUnder(observeUnder(observe, 'vision'), 'blocks'),
    });
    const inCross = observeUnder(observeUnder(observe, 'cross'), 'blocks');
    return crossLayers.reduce<Streams>(
      (below, each, index) => {
        const own = params.cross.blocks[index];
        if (own === undefined) throw new RangeError(`there are no parameters for cross-modal layer ${index}`);
        const both = {
          text: { states: below.text, tokens: length, counts: read },
          vision: { states: below.vision, tokens: count, counts },
        };
        return each.run(own, both, observeUnder(inCross, String(index)));
      },
      { text: told, vision: shown },
    );
  };

  /** The pooled state of the first word of each text. */
  const pooledOf = (params: LxmertParams, { text: told }: Streams, inputs: RegionInputs): Tensor2D => {
    if (params.pooler === undefined) throw unlearned('pooler');
    const first = firstTokens(told, inputs.tokens.shape[1], 1);
    return tanh(project(first, params.pooler, 'pooler', inputs.observe));
  };

  const answered = (params: LxmertParams, states: Tensor2D, { observe }: RegionInputs): Tensor2D => {
    if (answering === undefined || params.head === undefined) throw unlearned('head');
    return answering.run(params.head, states, observe);
  };

  const forward = (params: LxmertParams, inputs: RegionInputs): Logits => {
    switch (head.kind) {
      case 'answers': {
        const streams = streamsOf(params, inputs);
        const pooled = pooledOf(params, streams, inputs);
        return { logits: answered(params, pooled, inputs), pooled, regions: streams.vision };
      }
      case 'statements': {
        const sides = ([0, 1] as const).map((place) => {
          const own = inputsOfPicture(inputs, place);
          const streams = streamsOf(params, own);
          return { pooled: pooledOf(params, streams, own), regions: streams.vision };
        });
        const both: Tensor2D = concat(
          sides.map(({ pooled }) => pooled),
          1,
        );
        const unread: Tensor2D = concat(
          sides.map((side) => side.regions),
          0,
        );
        return { logits: answered(params, both, inputs), regions: unread };
      }
      case 'expressions': {
        const streams = streamsOf(params, inputs);
        const [batch, count] = inputs.features.shape;
        const scores = answered(params, streams.vision, inputs);
        const real = inputs.counts ?? ones<Rank.R2>([batch, count]);
        return { logits: choiceAmong(scores, real), words: streams.text };
      }
      case 'pre-training': {
        if (guessing === undefined) throw unlearned('heads');
        const streams = streamsOf(params, inputs);
        const [batch, length] = inputs.tokens.shape;
        const count = inputs.features.shape[1];
        return guessing.run(
          { heads: params, words: params.text.words, features: params.vision.features.weight },
          {
            pooled: pooledOf(params, streams, inputs),
            told: reshape(streams.text, [batch, length, D]),
            seen: reshape(streams.vision, [batch, count, D]),
          },
          inputs.observe,
        );
      }
      case 'retrieval':
        throw unlearned('head for retrieval');
      default:
        return head satisfies never;
    }
  };

  return {
    ...model,
    readout: {
      projections: readsPooled(head) ? [{ parameter: 'pooler.weight', tower: 'cross' }] : [],
      heads: ['head', ...hiddenHeadKeys],
    },
    forward,
    shrink: (decision) => lxmert(shrunkConfig(config, model.sites, decision)),
  };
}

/** The states of both streams, [B·T, D] and [B·R, D]. */
interface Streams {
  readonly text: Tensor2D;
  readonly vision: Tensor2D;
}

const readsPooled = ({ kind }: RegionHead): boolean => kind !== 'expressions';

const unlearned = (what: string): RangeError => new RangeError(`expected the parameters of its ${what}`);

/** The head of what is answered (airsplay/lxmert: of a statement it reads the pooled states of both pictures side by side). */
function headLayers(head: RegionHead, D: number) {
  switch (head.kind) {
    case 'answers':
      return answerHead({ read: D, inner: 2 * D, answers: head.answers });
    case 'statements':
      return answerHead({ read: 2 * D, inner: 2 * D, answers: 2 });
    case 'expressions':
      return answerHead({ read: D, inner: D, answers: 1 });
    case 'retrieval':
    case 'pre-training':
      return undefined;
    default:
      return head satisfies never;
  }
}

export const lxmertFamily = defineFamily<LxmertConfig, Lxmert>({
  kind: 'lxmert',
  schema: lxmertSchema,
  build: lxmert,
  towers: () => ({}),
  classes: ({ answers = 0 }) => answers,
  summary: ({ text, vision, cross, embedDim, heads, answers, head }) =>
    [
      `LXMERT for ${head === undefined ? counted(answers ?? 0, 'answer') : head.kind}: ${counted(text.blocks.length, 'layer')} of texts, ${vision.blocks.length} of regions and ${cross.blocks.length} of both, width ${embedDim}, ${counted(heads, 'head')}`,
      `  texts of up to ${text.positions} of ${text.vocabulary} tokens; regions of ${vision.features} features and ${vision.places} places`,
    ].join('\n'),
});
