import {
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  concat,
  exp,
  fill,
  matMul,
  mul,
  relu,
  reshape,
  slice,
} from '@tensorflow/tfjs-core';
import { counted } from '../text/counted';
import type { Decision } from '../decision/decision';
import type { Memory } from '../layers/cross-block';
import { modelPlace } from '../layers/layer';
import { project } from '../layers/linear';
import { observeUnder } from '../layers/observe';
import type { ParameterSpec } from '../layers/parameter';
import { firstTokens } from '../layers/tower';
import { unitLength } from '../operations/unit-length';
import { applied } from '../reparametrisation/reparametrisation';
import { type BlipConfig, type BlipUsage, blipSchema, exampleUsage, wrongBlip } from './blip-config';
import { type BlipParams, blipParts } from './blip-parts';
import type { DecoderCache } from './decoder-cache';
import { defineFamily } from './family';
import { type Hooks, hooksUnder } from './hooks';
import { type Model, described, shrunkConfig } from './model';
import type { Prediction } from './prediction';
import { pictureText, towerText } from './summary';
import type { TextStackConfig } from './text-stack-config';
import { readTokens } from './text-tower';
import { tied } from './ties';

/** Pictures and texts, of which as many are about each picture and follow one another; their purpose says what they are. */
export interface BlipInputs extends Hooks {
  /** Pictures [B, H, W, C]; for statements 2·B of them, the two of a pair one after the other. */
  readonly images: Tensor4D;
  /** Captions, questions, statements or texts, [M, N] int32. */
  readonly tokens: Tensor2D;
  /** For questions: answers, [A, N′] int32, as many to each question. */
  readonly answers?: Tensor2D;
}

/** `images` [B, P], `texts` [M, P], and `logits` [B, M]. */
export type Compared = Readonly<Record<'logits' | 'images' | 'texts', Tensor2D>>;

/** The forward passes of a BLIP's parts, which tasks put together. A model has those of its purpose; others throw a RangeError. */
export interface BlipPasses {
  /** Pictures [B, H, W, C] → what texts look at. */
  see(params: BlipParams, images: Tensor4D, hooks?: Hooks): Memory;
  /** Texts [M, N] by themselves → last hidden states, [M·N, D]. */
  read(params: BlipParams, tokens: Tensor2D, hooks?: Hooks): Tensor2D;
  /** Questions [M, N] about pictures → what a decoder looks at. */
  ask(params: BlipParams, tokens: Tensor2D, seen: Memory, hooks?: Hooks): Memory;
  /** Texts [M, N] that begin with the start token → logits of the next word at each place, [M·N, V]. */
  write(params: BlipParams, tokens: Tensor2D, memory: Memory, hooks?: Hooks): Tensor2D;
  /** A cache of the decoder for texts about memories, before their first token. */
  begin(params: BlipParams, memory: Memory): DecoderCache;
  /** One more token of each text, [M] int32 → logits of the next word, [M, V], and the cache behind it. */
  advance(
    params: BlipParams,
    tokens: Tensor1D,
    cache: DecoderCache,
  ): { readonly logits: Tensor2D; readonly cache: DecoderCache };
  /** Statements [M, N] about pairs of pictures, of which all the first are in one memory and all the second in the other → [M, 2]. */
  judge(params: BlipParams, tokens: Tensor2D, pairs: readonly [Memory, Memory], hooks?: Hooks): Tensor2D;
  /** Pictures that were seen → embeddings of length 1, [B, P]. */
  embedPictures(params: BlipParams, seen: Memory, hooks?: Hooks): Tensor2D;
  /** Texts [M, N] by themselves → embeddings of length 1, [M, P]. */
  embedTexts(params: BlipParams, tokens: Tensor2D, hooks?: Hooks): Tensor2D;
  /** Pictures, and texts by themselves → embeddings of length 1 and their similarities. */
  compare(params: BlipParams, seen: Memory, tokens: Tensor2D, hooks?: Hooks): Compared;
  /** Texts about pictures → logits of not matching and of matching, [M, 2]. */
  match(params: BlipParams, tokens: Tensor2D, seen: Memory, hooks?: Hooks): Tensor2D;
}

export interface Blip extends Model<BlipParams, BlipInputs> {
  readonly config: BlipConfig;
  readonly specs: BlipParams<ParameterSpec, ParameterSpec>;
  readonly passes: BlipPasses;
  shrink(decision: Decision): Blip;
}

/**
 * BLIP (Li et al., 2022; salesforce/BLIP), without dropout and without a momentum copy, which is the training's. A text that is
 * read ends with its first end token; behind it is padding, which nobody looks at.
 * @param usage How often its parts run on the example that the account is about; one example of its purpose without it.
 * @throws {RangeError} when the parts are not those of the purpose.
 */
export function blip({ ties, ...config }: BlipConfig, usage?: BlipUsage): Blip {
  const whole = untied(config, usage ?? exampleUsage(config.purpose));
  if (ties === undefined) return whole;
  const model = tied(whole, ties);
  const running = (stored: BlipParams) => applied(model.running.reparametrisation, stored);
  const { passes } = whole;
  return {
    ...model,
    config: { ...config, ties },
    passes: {
      see: (params, ...rest) => passes.see(running(params), ...rest),
      read: (params, ...rest) => passes.read(running(params), ...rest),
      ask: (params, ...rest) => passes.ask(running(params), ...rest),
      write: (params, ...rest) => passes.write(running(params), ...rest),
      begin: (params, ...rest) => passes.begin(running(params), ...rest),
      advance: (params, ...rest) => passes.advance(running(params), ...rest),
      judge: (params, ...rest) => passes.judge(running(params), ...rest),
      embedPictures: (params, ...rest) => passes.embedPictures(running(params), ...rest),
      embedTexts: (params, ...rest) => passes.embedTexts(running(params), ...rest),
      compare: (params, ...rest) => passes.compare(running(params), ...rest),
      match: (params, ...rest) => passes.match(running(params), ...rest),
    },
  };
}

function untied(config: BlipConfig, usage: BlipUsage): Blip {
  const wrong = wrongBlip(config);
  if (wrong !== undefined) throw new RangeError(wrong);
  const { purpose } = config;
  const parts = blipParts(config, usage);
  const model = described(config, parts.layer, modelPlace('vision'));
  const passes = passesOf(config, parts);
  const forward = (params: BlipParams, inputs: BlipInputs): Prediction => {
    const { images, tokens, answers, ...hooks } = inputs;
    const seen = passes.see(params, images, hooks);
    switch (purpose) {
      case 'captions':
        return { logits: passes.write(params, tokens, seen, hooks) };
      case 'questions':
        if (answers === undefined) throw new RangeError('expected answers beside questions');
        return { logits: passes.write(params, answers, passes.ask(params, tokens, seen, hooks), hooks) };
      case 'statements':
        return { logits: passes.judge(params, tokens, pairsOf(seen), hooks) };
      case 'retrieval':
        return {
          ...passes.compare(params, seen, tokens, hooks),
          matches: passes.match(params, tokens, seen, hooks),
        };
      default:
        return purpose satisfies never;
    }
  };
  return {
    ...model,
    ...(config.vision.merging === undefined ? {} : { mergesTokens: true }),
    readout: { projections: [], heads: ['judge', 'embeddings'] },
    passes,
    forward,
    shrink: (decision) => blip(shrunkConfig(config, model.sites, decision), usage),
  };
}

function passesOf(
  config: BlipConfig,
  { vision, encoder, decoder }: ReturnType<typeof blipParts>,
): BlipPasses {
  const { tokens: special, purpose } = config;
  const missing = (part: string): never => {
    throw new RangeError(`a model for ${purpose} has no ${part}`);
  };
  /** Texts about pictures → last hidden states, [M·N, D]. */
  const readAbout = (
    params: BlipParams,
    tokens: Tensor2D,
    memories: readonly Memory[],
    hooks: Hooks,
  ): Tensor2D => {
    if (encoder === undefined || params.encoder === undefined) return missing('encoder');
    const grounded = special.ground === undefined ? tokens : beginning(tokens, special.ground);
    const reading = { causal: false, counts: readTokens(tokens, special.end), memories };
    return encoder.states(params.encoder, grounded, reading, hooksUnder(hooks, 'encoder'));
  };
  const firstOf = (states: Tensor2D, tokens: Tensor2D): Tensor2D => firstTokens(states, tokens.shape[1], 1);
  const passes: BlipPasses = {
    see: (params, images, hooks = {}) => {
      const { states, counts } = vision.states(params.vision, images, hooksUnder(hooks, 'vision'));
      return { states, tokens: vision.left, ...(counts === undefined ? {} : { counts }) };
    },
    read: (params, tokens, hooks = {}) => {
      if (encoder === undefined || params.encoder === undefined) return missing('encoder');
      const reading = { causal: false, counts: readTokens(tokens, special.end), memories: [] };
      return encoder.states(params.encoder, tokens, reading, hooksUnder(hooks, 'encoder'));
    },
    ask: (params, tokens, seen, hooks = {}) => ({
      states: readAbout(params, tokens, [seen], hooks),
      tokens: tokens.shape[1],
      counts: readTokens(tokens, special.end),
    }),
    write: (params, tokens, memory, hooks = {}) => {
      if (decoder === undefined || params.decoder === undefined) return missing('decoder');
      const own = hooksUnder(hooks, 'decoder');
      const states = decoder.states(params.decoder, tokens, { causal: true, memories: [memory] }, own);
      return decoder.speak(params.decoder, states, own.observe);
    },
    begin: (params, memory) => {
      if (decoder === undefined || params.decoder === undefined) return missing('decoder');
      return decoder.begin(params.decoder, [memory]);
    },
    advance: (params, tokens, cache) => {
      if (decoder === undefined || params.decoder === undefined) return missing('decoder');
      return decoder.advance(params.decoder, tokens, cache);
    },
    judge: (params, tokens, pairs, hooks = {}) => {
      if (params.judge === undefined) return missing('head for statements');
      const observe = observeUnder(hooks.observe, 'judge');
      const first = firstOf(readAbout(params, tokens, pairs, hooks), tokens);
      const thought = relu(project(first, params.judge.first, 'first', observe));
      return project(thought, params.judge.last, 'last', observe);
    },
    embedPictures: (params, seen, hooks = {}) => {
      if (params.embeddings === undefined) return missing('embeddings');
      const whole = firstTokens(seen.states, seen.tokens, 1); // [B, D_v]
      const observe = observeUnder(hooks.observe, 'embeddings');
      return unitLength(project(whole, params.embeddings.vision, 'vision', observe));
    },
    embedTexts: (params, tokens, hooks = {}) => {
      if (params.embeddings === undefined) return missing('embeddings');
      const read = firstOf(passes.read(params, tokens, hooks), tokens);
      const observe = observeUnder(hooks.observe, 'embeddings');
      return unitLength(project(read, params.embeddings.text, 'text', observe));
    },
    compare: (params, seen, tokens, hooks = {}) => {
      if (params.embeddings === undefined) return missing('embeddings');
      const { logitScale } = params.embeddings;
      const images = passes.embedPictures(params, seen, hooks);
      const texts = passes.embedTexts(params, tokens, hooks);
      const cosines: Tensor2D = matMul(images, texts, false, true);
      return { logits: logitScale === undefined ? cosines : mul(cosines, exp(logitScale)), images, texts };
    },
    match: (params, tokens, seen, hooks = {}) => {
      if (params.embeddings === undefined) return missing('head for matching');
      const first = firstOf(readAbout(params, tokens, [seen], hooks), tokens);
      return project(first, params.embeddings.match, 'match', observeUnder(hooks.observe, 'embeddings'));
    },
  };
  return passes;
}

/** The memories of 2·B pictures, of which the two of a pair stand one after the other → all first ones, and all second ones. */
export function pairsOf({ states, tokens, counts }: Memory): readonly [Memory, Memory] {
  const [rows, width] = states.shape;
  const pairs = rows / tokens / 2;
  const picked = (x: Tensor2D, size: number, place: 0 | 1): Tensor2D => {
    const perPair: Tensor2D = reshape(x, [pairs, 2 * size]);
    return slice(perPair, [0, place * size], [pairs, size]);
  };
  const memoryAt = (place: 0 | 1): Memory => ({
    states: reshape(picked(states, tokens * width, place), [pairs * tokens, width]),
    tokens,
    ...(counts === undefined ? {} : { counts: picked(counts, tokens, place) }),
  });
  return [memoryAt(0), memoryAt(1)];
}

/** Texts [M, N] with another first token. */
function beginning(tokens: Tensor2D, first: number): Tensor2D {
  const [texts, length] = tokens.shape;
  return concat([fill([texts, 1], first, 'int32'), slice(tokens, [0, 1], [texts, length - 1])], 1);
}

const stackText = ({ blocks, embedDim, heads }: TextStackConfig): string =>
  `${counted(blocks.length, 'layer')}, width ${embedDim}, ${counted(heads, 'head')}`;

export const blipFamily = defineFamily<BlipConfig, Blip>({
  kind: 'blip',
  schema: blipSchema,
  build: (config) => blip(config),
  towers: ({ vision }) => ({ vision }),
  pictures: {
    positions: 'vision.positions',
    at: (config, imageSize) => ({ ...config, vision: { ...config.vision, imageSize } }),
    merging: ({ vision: { merging: _, ...vision }, ...config }, merging) => ({
      ...config,
      vision: merging === undefined ? vision : { ...vision, merging },
    }),
  },
  summary: ({ purpose, vision, encoder, decoder }) =>
    [
      `BLIP for ${purpose}`,
      `  vision:  ${towerText(vision.tower)}; ${pictureText(vision)}`,
      ...(encoder === undefined ? [] : [`  encoder: ${stackText(encoder)}`]),
      ...(decoder === undefined ? [] : [`  decoder: ${stackText(decoder)}`]),
    ].join('\n'),
});
