import {
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  add,
  concat,
  gather,
  ones,
  range,
  reshape,
  slice,
  tanh,
} from '@tensorflow/tfjs-core';
import { counted } from '../text/counted';
import type { Decision } from '../decision/decision';
import { dropUnder } from '../layers/branch-drop';
import { bare, modelPlace, placed, repeated, together } from '../layers/layer';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import { type LayerNormParams, normLayer, normalize } from '../layers/norm';
import { enterUnder, observeCounting, observeUnder } from '../layers/observe';
import { type ParameterSpec, normal } from '../layers/parameter';
import { firstTokens, tower } from '../layers/tower';
import { gatherRows } from '../operations/gather-rows';
import { applied } from '../reparametrisation/reparametrisation';
import type { DualEncoderInputs } from './dual-encoder';
import { defineFamily } from './family';
import type { Hooks } from './hooks';
import { type Model, described, shrunkConfig } from './model';
import type { Prediction } from './prediction';
import { pictureText, towerText } from './summary';
import { readTokens } from './text-tower';
import { tied } from './ties';
import { type ViltConfig, picturesOfHead, viltSchema, wrongVilt } from './vilt-config';
import { type ViltHeadParams, hiddenWords, judged, viltHead } from './vilt-head';
import { type VisionTowerParams, visionTower } from './vision-tower';
import { tokenCount } from './vision-tower-config';

export type ViltParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  vision: VisionTowerParams<Matrix, Vector>;
  text: {
    words: Matrix; // [V, D]
    positions: Matrix; // [context, D]
    types?: Matrix; // [types, D]
    norm: LayerNormParams<Vector>;
  };
  modalities: Matrix; // [1 + pictures, D]
  pooler: LinearParams<Matrix, Vector>; // [D, D]
} & ViltHeadParams<Matrix, Vector>;

/** The states of texts, and of a picture each, behind the trunk. */
export interface ViltStates {
  /** Words, [B·T, D], and class token with patches, [B·N, D], behind the last norm. */
  readonly words: Tensor2D;
  readonly patches: Tensor2D;
  /** [B, T], 1 where a token is read and 0 where it is padding. */
  readonly read: Tensor2D;
  /** [B, D] */
  readonly pooled: Tensor2D;
}

export interface Vilt extends Model<ViltParams, DualEncoderInputs> {
  readonly config: ViltConfig;
  readonly specs: ViltParams<ParameterSpec, ParameterSpec>;
  /** Texts [B, T] and pictures [B, H, W, C], of which each is the one of its number among those of an example. */
  states(params: ViltParams, inputs: DualEncoderInputs, picture?: number): ViltStates;
  shrink(decision: Decision): Vilt;
}

/**
 * ViLT (Kim et al., 2021; dandelin/ViLT): words and patches go through one pre-norm trunk together, and the first word is read. All
 * patches are looked at. Without dropout. Its answer is `logits` [B, A] for answers and [B, 2] for statements, whose pictures are
 * [2·B, H, W, C], those of a statement one after the other; for matching `logits` [B, 2] and `words` [B·T, V]; for retrieval `logits` [B, 1].
 * @throws {RangeError} when its parts do not fit together.
 */
export function vilt({ ties, ...config }: ViltConfig): Vilt {
  const whole = untied(config);
  if (ties === undefined) return whole;
  const model = tied(whole, ties);
  return {
    ...model,
    config: { ...config, ties },
    states: (params, ...rest) => whole.states(applied(model.running.reparametrisation, params), ...rest),
  };
}

function untied(config: ViltConfig): Vilt {
  const wrong = wrongVilt(config);
  if (wrong !== undefined) throw new RangeError(wrong);
  const { text, vision, modalities, head } = config;
  const { embedDim: D, normEpsilon } = vision.tower;
  const patches = tokenCount(vision);
  const pictures = picturesOfHead(head);
  const passes = (tokens: number) => ({ uses: Array.from({ length: pictures }, () => ({ tokens })) });
  const [joint, words, once] = [passes(patches + text.context), passes(text.context), passes(1)];
  const embedding = visionTower(vision);
  const blocks = tower(vision.tower);
  const layer = together({
    vision: placed(
      { tower: 'vision', config: 'vision' },
      together({
        ...embedding.parts,
        patchEmbedding: repeated(pictures, embedding.parts.patchEmbedding),
        blocks: placed({ ...joint, config: 'tower' }, blocks),
        norm: placed(joint, normLayer(D, normEpsilon)),
      }),
    ),
    text: together({
      words: bare(normal([text.vocabulary, D], 0.02)),
      positions: bare(normal([text.context, D], 0.02)),
      ...(text.types === undefined ? {} : { types: bare(normal([text.types, D], 0.02)) }),
      norm: placed(words, normLayer(D, text.normEpsilon)),
    }),
    modalities: bare(normal([modalities, D], 0.02)),
    pooler: placed(once, linearLayer(D, D)),
    ...viltHead(config),
  });
  const model = described(config, layer, modelPlace('vision'));

  const embedWords = (params: ViltParams, tokens: Tensor2D, { perturb }: Hooks): Tensor3D => {
    const [batch, length] = tokens.shape;
    if (length > text.context)
      throw new RangeError(`expected texts of at most ${text.context} tokens, got ${length}`);
    const rows: Tensor3D = reshape(gatherRows(params.text.words, reshape(tokens, [batch * length])), [
      batch,
      length,
      D,
    ]);
    const seen = perturb === undefined ? rows : perturb('words', rows);
    const placedWords = add<Tensor3D>(seen, slice(params.text.positions, [0, 0], [length, D]));
    const typed =
      params.text.types === undefined
        ? placedWords
        : add<Tensor3D>(placedWords, slice(params.text.types, [0, 0], [1, D]));
    const flat: Tensor2D = reshape(typed, [batch * length, D]);
    const normed = reshape(normalize(flat, params.text.norm, text.normEpsilon), [batch, length, D]);
    return add<Tensor3D>(normed, slice(params.modalities, [0, 0], [1, D]));
  };

  const states = (
    params: ViltParams,
    { images, tokens, ...hooks }: DualEncoderInputs,
    picture = 0,
  ): ViltStates => {
    const [batch, length] = tokens.shape;
    const observe = observeUnder(hooks.observe, 'vision');
    const shown: Tensor3D = reshape(
      embedding.embed(params.vision, images, { ...hooks, ...(observe === undefined ? {} : { observe }) }),
      [batch, patches, D],
    );
    const told = embedWords(params, tokens, hooks);
    const typed = add<Tensor3D>(shown, slice(params.modalities, [1 + picture, 0], [1, D]));
    const all = length + patches;
    const sequence: Tensor2D = reshape(concat([told, typed], 1), [batch * all, D]);
    const read = readTokens(tokens, text.endToken);
    const counts: Tensor2D = concat([read, ones([batch, patches])], 1);
    const { states: passed } = blocks.run(params.vision.blocks, sequence, {
      tokens: all,
      counts,
      observe: observeCounting(observeUnder(observe, 'blocks'), () => counts),
      enter: enterUnder(enterUnder(hooks.enter, 'vision'), 'blocks'),
      drop: dropUnder(hooks.drop, 'vision'),
    });
    const normed = normalize(passed, params.vision.norm, normEpsilon);
    const first = firstTokens(normed, all, 1);
    return {
      words: firstTokens(normed, all, length),
      patches: gatherRows(normed, placesFrom(length, all, batch)),
      read,
      pooled: tanh(project(first, params.pooler, 'pooler', hooks.observe)),
    };
  };

  const forward = (params: ViltParams, inputs: DualEncoderInputs): Prediction => {
    const { observe } = inputs;
    if (head.kind !== 'matching') {
      const pooled = Array.from({ length: pictures }, (_, picture) => {
        const images = pictures === 1 ? inputs.images : everyOther(inputs.images, picture, pictures);
        return states(params, { ...inputs, images }, picture).pooled;
      });
      return {
        logits: judged(
          params,
          pooled.length === 1 ? (pooled[0] ?? concat(pooled, 1)) : concat(pooled, 1),
          observe,
        ),
      };
    }
    const { words: told, pooled } = states(params, inputs);
    const { matching } = params;
    if (matching === undefined) throw new RangeError('expected the parameters of matching');
    return {
      logits: project(pooled, matching, 'matching', observe),
      words: hiddenWords(params, told, params.text.words, text, observe),
    };
  };

  return {
    ...model,
    readout: {
      projections: [{ parameter: 'pooler.weight', tower: 'vision' }],
      heads: ['head', 'matching', 'hidden', 'rank'],
    },
    states,
    forward,
    shrink: (decision) => vilt(shrunkConfig(config, model.sites, decision)),
  };
}

/** Rows of the tokens from a place on, of each sequence. */
function placesFrom(first: number, tokens: number, batch: number): Tensor1D {
  const rows: Tensor2D = reshape(range(0, batch * tokens, 1, 'int32'), [batch, tokens]);
  const own = slice(rows, [0, first], [batch, tokens - first]);
  return reshape(own, [batch * (tokens - first)]);
}

/** The pictures at one place of each group. */
const everyOther = (images: Tensor4D, place: number, group: number): Tensor4D =>
  gather(images, range(place, images.shape[0], group, 'int32'));

export const viltFamily = defineFamily<ViltConfig, Vilt>({
  kind: 'vilt',
  schema: viltSchema,
  build: vilt,
  towers: ({ vision }) => ({ vision }),
  pictures: {
    positions: 'vision.positions',
    at: (config, imageSize) => ({ ...config, vision: { ...config.vision, imageSize } }),
  },
  classes: ({ head }) => (head.kind === 'answers' ? head.answers : 0),
  summary: ({ vision, text, head }) =>
    [
      `ViLT for ${head.kind === 'answers' ? counted(head.answers, 'answer') : head.kind}: words and patches in one trunk of ${towerText(vision.tower)}`,
      `  ${pictureText(vision)}; texts of up to ${text.context} of ${text.vocabulary} tokens`,
    ].join('\n'),
});
