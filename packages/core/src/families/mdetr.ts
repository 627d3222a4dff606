import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  concat,
  ones,
  range,
  relu,
  reshape,
  sigmoid,
  tensor2d,
  zeros as zeroTensor,
} from '@tensorflow/tfjs-core';
import { counted } from '../text/counted';
import type { Decision } from '../decision/decision';
import {
  type DecoderLayerParams,
  type EncoderLayerParams,
  FUSION_EPSILON,
  type PlacedTokens,
  fusionDecoderLayer,
  fusionEncoderLayer,
} from '../layers/fusion';
import { bare, modelPlace, placed, stack, together, uncut } from '../layers/layer';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import { type LayerNormParams, normLayer, normalize } from '../layers/norm';
import { type Observe, observeUnder } from '../layers/observe';
import { type ParameterSpec, normal, undecayed } from '../layers/parameter';
import { gridWaves } from '../layers/position-waves';
import { firstTokens, lastTokens } from '../layers/tower';
import { gatherRows } from '../operations/gather-rows';
import { unitLength } from '../operations/unit-length';
import type { DualEncoderInputs } from './dual-encoder';
import { defineFamily } from './family';
import { hooksUnder } from './hooks';
import { type MdetrConfig, mdetrSchema } from './mdetr-config';
import { type Model, described, shrunkConfig } from './model';
import { pictureText, textsText, towerText } from './summary';
import { type TextTowerParams, textTower } from './text-tower';
import { tied } from './ties';
import { type VisionTowerParams, visionTower } from './vision-tower';
import { patchGrid, tokenCount } from './vision-tower-config';

export type MdetrParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  vision: VisionTowerParams<Matrix, Vector>;
  text: TextTowerParams<Matrix, Vector>;
  fusion: {
    vision: LinearParams<Matrix, Vector>; // [D_v, d]
    text: LinearParams<Matrix, Vector>; // [D_t, d]
    textNorm: LayerNormParams<Vector>;
    encoder: EncoderLayerParams<Matrix, Vector>[];
    decoder: DecoderLayerParams<Matrix, Vector>[];
    decoderNorm: LayerNormParams<Vector>;
    queries: Matrix; // [Q, d]
  };
  head: {
    tokens: LinearParams<Matrix, Vector>; // [d, context + 1]
    box: {
      first: LinearParams<Matrix, Vector>; // [d, d]
      second: LinearParams<Matrix, Vector>; // [d, d]
      last: LinearParams<Matrix, Vector>; // [d, 4]
    };
    queryAlignment: LinearParams<Matrix, Vector>; // [d, alignment width]
    wordAlignment: LinearParams<Matrix, Vector>; // [d, alignment width]
  };
  questions?: {
    queries: Matrix; // [1 + types, d]
    type: LinearParams<Matrix, Vector>; // [d, types]
    answers: LinearParams<Matrix, Vector>[]; // [d, answers of the type]
  };
};

/**
 * Objects that were found, query by query. `logits0`, `boxes0` and `aligned0` are those of the first decoder layer, and so on;
 * those of the last have no number. A model that answers questions also says `type` [B, types], and `answer0`, `answer1`, … [B, answers
 * of that type].
 */
export interface Groundings {
  /** Over the places of the text's context, and "no object", the last: [B·Q, context + 1]. */
  readonly logits: Tensor2D;
  /** Centre x and y, width and height in shares of the picture, [B·Q, 4]. */
  readonly boxes: Tensor2D;
  /** Vectors of length 1, [B·Q, alignment width]. */
  readonly aligned: Tensor2D;
  /** Vectors of length 1, [B·T, alignment width]. */
  readonly words: Tensor2D;
  /** 1 where a token is read and 0 where it is padding, [B, T]. */
  readonly read: Tensor2D;
  readonly [ofLayer: string]: Tensor;
}

export interface Mdetr extends Model<MdetrParams, DualEncoderInputs, Groundings> {
  readonly config: MdetrConfig;
  readonly specs: MdetrParams<ParameterSpec, ParameterSpec>;
  shrink(decision: Decision): Mdetr;
}

/** The epsilon of the norm of embedded words, as in MDETR's code. */
const WORD_EPSILON = 1e-12;

/**
 * MDETR (Kamath et al., 2021; ashkamath/mdetr) on two of our towers: their patches and words go through one encoder, and learned
 * queries look for objects in what comes out. Only the towers can be cut. Without dropout; matrices begin as Xavier's normal ones, not
 * his uniform ones. With ties its parameters are those that are stored.
 */
export function mdetr({ ties, ...config }: MdetrConfig): Mdetr {
  const whole = untied(config);
  return ties === undefined ? whole : { ...tied(whole, ties), config: { ...config, ties } };
}

function untied(config: MdetrConfig): Mdetr {
  const { fusion, questions } = config;
  const { width: d, queries: objects } = fusion;
  const asking = questions === undefined ? 0 : 1 + questions.answers.length;
  const queries = objects + asking;
  const grid = patchGrid(config.vision);
  const [patches, { context }] = [grid[0] * grid[1], config.text];
  const memory = patches + context;
  const vision = visionTower(config.vision, tokenCount(config.vision));
  const text = textTower(config.text);
  const [read, seen, asked] = [context, memory, queries].map((tokens) => ({ uses: [{ tokens }] }));
  if (read === undefined || seen === undefined || asked === undefined)
    throw new RangeError('expected three uses');
  const encoder = Array.from({ length: fusion.encoderLayers }, () => fusionEncoderLayer(fusion));
  const decoder = Array.from({ length: fusion.decoderLayers }, () =>
    fusionDecoderLayer(fusion, queries, memory),
  );
  const everyLayer = { uses: decoder.map(() => ({ tokens: objects })) };
  const once = { uses: [{ tokens: 1 }] };
  const layer = together({
    vision: placed({ tower: 'vision', config: 'vision' }, vision.layer),
    text: placed({ tower: 'text', config: 'text' }, text.layer),
    fusion: together({
      vision: placed({ uses: [{ tokens: patches }] }, linearLayer(config.vision.tower.embedDim, d)),
      text: placed(read, linearLayer(config.text.tower.embedDim, d)),
      textNorm: placed(read, normLayer(d, WORD_EPSILON)),
      encoder: placed(seen, uncut(stack(encoder, 'encoder'))),
      decoder: placed(asked, uncut(stack(decoder, 'decoder'))),
      decoderNorm: placed({ uses: decoder.map(() => ({ tokens: queries })) }, normLayer(d, FUSION_EPSILON)),
      queries: bare(undecayed(normal([objects, d], 1))),
    }),
    head: together({
      tokens: placed(everyLayer, linearLayer(d, context + 1)),
      box: placed(
        everyLayer,
        together({ first: linearLayer(d, d), second: linearLayer(d, d), last: linearLayer(d, 4) }),
      ),
      queryAlignment: placed(everyLayer, linearLayer(d, fusion.alignmentDim)),
      wordAlignment: placed(read, linearLayer(d, fusion.alignmentDim)),
    }),
    ...(questions === undefined
      ? {}
      : {
          questions: together({
            queries: bare(undecayed(normal([asking, d], 1))),
            type: placed(once, linearLayer(d, questions.answers.length)),
            answers: placed(
              once,
              stack(
                questions.answers.map((count) => linearLayer(d, count)),
                'answers',
              ),
            ),
          }),
        }),
  });
  const model = described(config, layer, modelPlace('vision'));
  const waves = gridWaves(grid[0], grid[1], d);

  /** Pictures and texts → the memory, [B·(P + T), d]. */
  const remember = (params: MdetrParams, { images, tokens, ...hooks }: DualEncoderInputs): PlacedTokens => {
    const [batch, length] = tokens.shape;
    const observe = observeUnder(hooks.observe, 'fusion');
    const { states } = vision.states(params.vision, images, hooksUnder(hooks, 'vision'));
    const patchStates = lastTokens(states, tokenCount(config.vision), patches);
    const told = text.tokenStates(params.text, tokens, hooksUnder(hooks, 'text'));
    const shown = project(patchStates, params.fusion.vision, 'vision', observe); // [B·P, d]
    const words = normalize(
      project(told, params.fusion.text, 'text', observe),
      params.fusion.textNorm,
      WORD_EPSILON,
    ); // [B·T, d]
    const both: Tensor3D = concat<Tensor3D>(
      [reshape(shown, [batch, patches, d]), reshape(words, [batch, length, d])],
      1,
    );
    const places: Tensor2D = tensor2d(waves, [patches, d]);
    const nowhere: Tensor2D = zeroTensor([length, d]); // words have no place in the picture
    const positions: Tensor2D = concat([places, nowhere], 0);
    const whole: Tensor2D = ones([batch, patches]);
    const counts: Tensor2D = concat([whole, text.readTokens(tokens)], 1);
    const all = patches + length;
    const start: PlacedTokens = { states: reshape(both, [batch * all, d]), positions, tokens: all, counts };
    return encoder.reduce((below, each, index) => {
      const own = params.fusion.encoder[index];
      if (own === undefined) throw new RangeError(`there are no parameters for encoder layer ${index}`);
      return { ...below, states: each.run(own, below, observeUnder(observe, `encoder.${index}`)) };
    }, start);
  };

  /** The queries' states after each decoder layer, [B·Q, d] each. */
  const search = (params: MdetrParams, found: PlacedTokens, observe: Observe | undefined): Tensor2D[] => {
    const batch = found.states.shape[0] / found.tokens;
    let states: Tensor2D = zeroTensor([batch * queries, d]);
    const positions: Tensor2D =
      params.questions === undefined
        ? params.fusion.queries
        : concat([params.fusion.queries, params.questions.queries], 0);
    return decoder.map((each, index) => {
      const own = params.fusion.decoder[index];
      if (own === undefined) throw new RangeError(`there are no parameters for decoder layer ${index}`);
      const placedQueries = { states, positions, tokens: queries };
      states = each.run(own, placedQueries, found, observeUnder(observe, `decoder.${index}`));
      return normalize(states, params.fusion.decoderNorm, FUSION_EPSILON);
    });
  };

  const readOut = ({ head }: MdetrParams, states: Tensor2D, observe: Observe | undefined) => {
    const boxOf = observeUnder(observe, 'box');
    const first = relu(project(states, head.box.first, 'first', boxOf));
    const second = relu(project(first, head.box.second, 'second', boxOf));
    return {
      logits: project(states, head.tokens, 'tokens', observe),
      boxes: sigmoid(project(second, head.box.last, 'last', boxOf)),
      aligned: unitLength(project(states, head.queryAlignment, 'queryAlignment', observe)),
    };
  };

  /** Turns the queries for questions, [B·(1 + types), d], into the logits of types and answers. */
  const answer = (
    params: MdetrParams,
    states: Tensor2D,
    observe: Observe | undefined,
  ): Record<string, Tensor> => {
    if (params.questions === undefined) return {};
    const { type, answers } = params.questions;
    const batch = states.shape[0] / asking;
    const at = (place: number): Tensor2D => gatherRows(states, range(place, batch * asking, asking, 'int32'));
    return {
      type: project(at(0), type, 'type', observe),
      ...Object.fromEntries(
        answers.map((own, index) => [
          `answer${index}`,
          project(at(1 + index), own, `answers.${index}`, observe),
        ]),
      ),
    };
  };

  return {
    ...model,
    readout: {
      projections: [],
      heads: ['fusion', 'head', ...(questions === undefined ? [] : ['questions'])],
    },
    forward: (params, inputs) => {
      const [, length] = inputs.tokens.shape;
      const found = remember(params, inputs);
      const observe = observeUnder(inputs.observe, 'head');
      const searched = search(params, found, observeUnder(inputs.observe, 'fusion'));
      // What earlier layers answer helps to learn; an observer sees the answers of the last one.
      const layers = searched.map((states, layer) =>
        readOut(
          params,
          firstTokens(states, queries, objects),
          layer === searched.length - 1 ? observe : undefined,
        ),
      );
      const [last, lastStates] = [layers.at(-1), searched.at(-1)];
      if (last === undefined || lastStates === undefined) throw new RangeError('expected a decoder layer');
      const words = lastTokens(found.states, found.tokens, length); // [B·T, d]
      const earlier = layers
        .slice(0, -1)
        .flatMap((own, index) => Object.entries(own).map(([name, tensor]) => [`${name}${index}`, tensor]));
      return {
        ...Object.fromEntries(earlier),
        ...last,
        ...answer(params, lastTokens(lastStates, queries, asking), observeUnder(inputs.observe, 'questions')),
        words: unitLength(project(words, params.head.wordAlignment, 'wordAlignment', observe)),
        read: text.readTokens(inputs.tokens),
      };
    },
    shrink: (decision) => mdetr(shrunkConfig(config, model.sites, decision)),
  };
}

export const mdetrFamily = defineFamily<MdetrConfig, Mdetr>({
  kind: 'mdetr',
  schema: mdetrSchema,
  build: mdetr,
  towers: ({ vision, text }) => ({ vision, text }),
  pictures: {
    positions: 'vision.positions',
    at: (config, imageSize) => ({ ...config, vision: { ...config.vision, imageSize } }),
  },
  summary: ({ vision, text, fusion, questions }) =>
    [
      `MDETR of ${counted(fusion.queries, 'query', 'queries')}, ${fusion.encoderLayers} + ${fusion.decoderLayers} layers of width ${fusion.width}${questions === undefined ? '' : `, questions of ${counted(questions.answers.length, 'type')}`}`,
      `  vision: ${towerText(vision.tower)}; ${pictureText(vision)}`,
      `  text:   ${towerText(text.tower)}; ${textsText(text)}`,
    ].join('\n'),
});
