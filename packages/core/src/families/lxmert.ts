import {
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  add,
  mul,
  reshape,
  slice,
  tanh,
} from '@tensorflow/tfjs-core';
import type { Decision } from '../decision/decision';
import {
  type BertLayer,
  type BertLayerParams,
  type CrossModalParams,
  bertLayer,
  crossModalLayer,
} from '../layers/bert-layer';
import { bare, modelPlace, placed, stack, together } from '../layers/layer';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import { type LayerNormParams, normLayer, normalize } from '../layers/norm';
import { observeUnder } from '../layers/observe';
import { type ParameterSpec, normal } from '../layers/parameter';
import { firstTokens } from '../layers/tower';
import { activate } from '../operations/activation';
import { gatherRows } from '../operations/gather-rows';
import { defineFamily } from './family';
import type { Hooks } from './hooks';
import { type LxmertConfig, lxmertSchema } from './lxmert-config';
import { type Model, described, shrunkConfig } from './model';
import type { Logits } from './prediction';
import { readTokens } from './text-tower';
import { tied } from './ties';

export type LxmertParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  text: {
    words: Matrix; // [V, D]
    positions: Matrix; // [positions, D]
    types: Matrix; // [types, D]
    norm: LayerNormParams<Vector>;
    blocks: BertLayerParams<Matrix, Vector>[];
  };
  vision: {
    features: LinearParams<Matrix, Vector>; // [F, D]
    featuresNorm: LayerNormParams<Vector>;
    places: LinearParams<Matrix, Vector>; // [P, D]
    placesNorm: LayerNormParams<Vector>;
    blocks: BertLayerParams<Matrix, Vector>[];
  };
  cross: { blocks: CrossModalParams<Matrix, Vector>[] };
  pooler: LinearParams<Matrix, Vector>; // [D, D]
  head: {
    first: LinearParams<Matrix, Vector>; // [D, 2·D]
    norm: LayerNormParams<Vector>;
    last: LinearParams<Matrix, Vector>; // [2·D, A]
  };
};

/** Texts, and regions of a picture each. */
export interface RegionInputs extends Hooks {
  /** [B, T] int32 */
  readonly tokens: Tensor2D;
  /** [B, R, F] */
  readonly features: Tensor3D;
  /** Where regions are, in shares of the picture, [B, R, P]. */
  readonly places: Tensor3D;
  /** [B, R], 0 for regions that are padding; without it all are looked at. */
  readonly counts?: Tensor2D;
}

export interface Lxmert extends Model<LxmertParams, RegionInputs, Logits> {
  readonly config: LxmertConfig;
  readonly specs: LxmertParams<ParameterSpec, ParameterSpec>;
  shrink(decision: Decision): Lxmert;
}

/** The epsilon of the answer head's norm, whatever the others have (airsplay/lxmert, `BertVisualAnswerHead`). */
const HEAD_EPSILON = 1e-12;

/**
 * LXMERT (Tan and Bansal, 2019; airsplay/lxmert) with its head for answers, without dropout: `logits` [B, A]. Embeddings, what regions
 * are projected by and the head have no sites. With ties its parameters are those that are stored.
 */
export function lxmert({ ties, ...config }: LxmertConfig): Lxmert {
  const whole = untied(config);
  return ties === undefined ? whole : { ...tied(whole, ties), config: { ...config, ties } };
}

function untied(config: LxmertConfig): Lxmert {
  const { text, vision, cross, embedDim: D, normEpsilon } = config;
  const [words, regions, once] = [text.context, vision.regions, 1].map((tokens) => ({ uses: [{ tokens }] }));
  if (words === undefined || regions === undefined || once === undefined)
    throw new RangeError('expected uses');
  const norm = normLayer(D, normEpsilon);
  const textLayers = text.blocks.map((shape) => bertLayer(config, shape));
  const visionLayers = vision.blocks.map((shape) => bertLayer(config, shape));
  const crossLayers = cross.blocks.map((shape) =>
    crossModalLayer(config, shape, { tokens: text.context, regions: vision.regions }),
  );
  const layer = together({
    text: placed(
      { tower: 'text', config: 'text', ...words },
      together({
        words: bare(normal([text.vocabulary, D], 0.02)),
        positions: bare(normal([text.positions, D], 0.02)),
        types: bare(normal([text.types, D], 0.02)),
        norm,
        blocks: stack(textLayers, 'blocks'),
      }),
    ),
    vision: placed(
      { tower: 'vision', config: 'vision', ...regions },
      together({
        features: linearLayer(vision.features, D),
        featuresNorm: norm,
        places: linearLayer(vision.places, D),
        placesNorm: norm,
        blocks: stack(visionLayers, 'blocks'),
      }),
    ),
    cross: placed({ tower: 'cross', config: 'cross' }, together({ blocks: stack(crossLayers, 'blocks') })),
    pooler: placed(once, linearLayer(D, D)),
    head: placed(
      once,
      together({
        first: linearLayer(D, 2 * D),
        norm: normLayer(2 * D, HEAD_EPSILON),
        last: linearLayer(2 * D, config.answers),
      }),
    ),
  });
  const model = described(config, layer, modelPlace('text'));

  const embedWords = ({ text: own }: LxmertParams, tokens: Tensor2D, { perturb }: Hooks): Tensor2D => {
    const [batch, length] = tokens.shape;
    if (length > text.positions)
      throw new RangeError(`expected texts of at most ${text.positions} tokens, got ${length}`);
    const rows: Tensor3D = reshape(gatherRows(own.words, reshape(tokens, [batch * length])), [
      batch,
      length,
      D,
    ]);
    const seen = perturb === undefined ? rows : perturb('words', rows);
    const standing = add<Tensor3D>(seen, slice(own.positions, [0, 0], [length, D]));
    const typed = add<Tensor3D>(standing, slice(own.types, [0, 0], [1, D]));
    return normalize(reshape(typed, [batch * length, D]), own.norm, normEpsilon);
  };
  const embedRegions = (
    { vision: own }: LxmertParams,
    { features, places, observe }: RegionInputs,
  ): Tensor2D => {
    const [batch, count, F] = features.shape;
    const under = observeUnder(observe, 'vision');
    const shown: Tensor2D = reshape(features, [batch * count, F]);
    const where: Tensor2D = reshape(places, [batch * count, places.shape[2]]);
    const what = normalize(project(shown, own.features, 'features', under), own.featuresNorm, normEpsilon);
    const placed = normalize(project(where, own.places, 'places', under), own.placesNorm, normEpsilon);
    return mul(add(what, placed), 0.5);
  };

  return {
    ...model,
    readout: { projections: [{ parameter: 'pooler.weight', tower: 'cross' }], heads: ['head'] },
    forward: (params, inputs) => {
      const { tokens, features, counts, observe, ...hooks } = inputs;
      const read = readTokens(tokens, text.endToken);
      const [length, count] = [tokens.shape[1], features.shape[1]];
      const told = through(textLayers, params.text.blocks, embedWords(params, tokens, hooks), {
        ...{ tokens: length, counts: read },
        observe: observeUnder(observeUnder(observe, 'text'), 'blocks'),
      });
      const shown = through(visionLayers, params.vision.blocks, embedRegions(params, inputs), {
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
      const thought = activate(project(pooled, params.head.first, 'head.first', observe), 'gelu');
      const normed = normalize(thought, params.head.norm, HEAD_EPSILON);
      return { logits: project(normed, params.head.last, 'head.last', observe), pooled };
    },
    shrink: (decision) => lxmert(shrunkConfig(config, model.sites, decision)),
  };
}

/** Layers one after another. */
function through(
  layers: readonly BertLayer[],
  params: readonly BertLayerParams[],
  x: Tensor2D,
  { observe, ...passage }: Parameters<BertLayer['run']>[2],
): Tensor2D {
  return layers.reduce((below, each, index) => {
    const own = params[index];
    if (own === undefined) throw new RangeError(`there are no parameters for layer ${index}`);
    return each.run(own, below, { ...passage, observe: observeUnder(observe, String(index)) });
  }, x);
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
