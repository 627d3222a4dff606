import type { Tensor } from '@tensorflow/tfjs-core';
import {
  type BlockParams,
  type DualEncoderConfig,
  type DualEncoderParams,
  type TensorTree,
  type TextTowerConfig,
  type TextTowerParams,
  type TowerConfig,
  type VisionTowerConfig,
  type VisionTowerParams,
  buildTree,
  sidesOf,
} from '../../src/index';
import {
  plainAttention,
  plainGelu,
  plainGeluTanh,
  plainLayerNorm,
  plainLinear,
  plainQuickGelu,
} from '../operations/plain';

/** Parameters and states as row-major lists. */
export type Values = readonly number[];

/** The towers as one would write them on paper, one example at a time, in float64. */
export function plainTextStates(
  { endToken, tower }: TextTowerConfig,
  { tokenEmbedding, positions, blocks, norm }: TextTowerParams<Values, Values>,
  text: Values,
): number[] {
  const { embedDim: D, normEpsilon } = tower;
  const embedded = text.flatMap((token, position) =>
    row(tokenEmbedding, token, D).map((value, i) => value + at(positions, position * D + i)),
  );
  const states = plainBlocks(tower, blocks, embedded);
  const normalized = plainLayerNorm(text.length, D, normEpsilon)(states, norm.weight, norm.bias);
  if (endToken === 'last') return row(normalized, text.length - 1, D);
  const end = endToken === 'greatest' ? Math.max(...text) : endToken;
  return row(normalized, text.indexOf(end), D);
}

/** Picture [H, W, C] → normalised last hidden states [T, D]. */
export function plainVisionStates(
  config: VisionTowerConfig,
  params: VisionTowerParams<Values, Values>,
  picture: Values,
): number[] {
  const { embedDim: D, normEpsilon } = config.tower;
  const states = plainUnnormedStates(config, params, picture);
  return plainLayerNorm(states.length / D, D, normEpsilon)(states, params.norm.weight, params.norm.bias);
}

/** Picture [H, W, C] → the state that stands for it [D]: what its attention pool makes of all tokens, or the class token's. */
export function plainPictureState(
  config: VisionTowerConfig,
  params: VisionTowerParams<Values, Values>,
  picture: Values,
): number[] {
  const { tower } = config;
  const { embedDim: D, heads, denseHeadDim, normEpsilon } = tower;
  const states = plainVisionStates(config, params, picture);
  const { attentionPool: pool } = params;
  if (pool === undefined) return row(states, 0, D);
  const { query, key, value, output } = pool.attention;
  const inner = query.weight.length / D;
  const tokens = states.length / D;
  const mapped = (count: number, x: Values, { weight, bias }: { weight: Values; bias?: Values }) =>
    plainLinear(count, D, inner)(x, weight, bias ?? range(inner).fill(0));
  // plainAttention knows one number of tokens: all of them ask the same, and the first answer is read.
  const asked = mapped(1, pool.probe, query);
  const attended = plainAttention({
    ...{ batch: 1, tokens, heads, keyDim: inner / heads, valueDim: inner / heads, causal: false },
    scale: 1 / Math.sqrt(denseHeadDim),
  })(
    range(tokens).flatMap(() => asked),
    mapped(tokens, states, key),
    mapped(tokens, states, value),
  );
  const seen = plainLinear(1, inner, D)(row(attended, 0, inner), output.weight, output.bias);
  const normalized = plainLayerNorm(1, D, normEpsilon)(seen, pool.norm.weight, pool.norm.bias);
  const { expand, contract } = pool.ffn;
  const hidden = plainActivations[tower.activation](
    plainLinear(1, D, expand.bias.length)(normalized, expand.weight, expand.bias),
  );
  return sumOf(seen, plainLinear(1, expand.bias.length, D)(hidden, contract.weight, contract.bias));
}

/** Picture [H, W, C] → last hidden states before the last norm [T, D]. */
export function plainUnnormedStates(
  { imageSize, patchSize, channels, positioned, tower }: VisionTowerConfig,
  params: VisionTowerParams<Values, Values>,
  picture: Values,
): number[] {
  const { embedDim: D, normEpsilon } = tower;
  const { weight, bias } = params.patchEmbedding;
  const { height, width } = sidesOf(imageSize);
  const grid = width / patchSize;
  const patches = range((height / patchSize) * grid).flatMap((patch) => {
    const [top, left] = [Math.floor(patch / grid) * patchSize, (patch % grid) * patchSize];
    const pixels = range(patchSize * patchSize * channels).map((i) => {
      const [y, x] = [Math.floor(i / (patchSize * channels)), Math.floor(i / channels) % patchSize];
      return at(picture, ((top + y) * width + left + x) * channels + (i % channels));
    });
    return plainLinear(1, pixels.length, D)(pixels, weight, bias ?? range(D).fill(0));
  });
  const whole = [...(params.classToken ?? []), ...(params.distillationToken ?? [])];
  const registers = params.registers ?? [];
  const withPositions = (sequence: Values): number[] =>
    sequence.map((value, i) => value + at(params.positions, i));
  const placed =
    positioned === 'patches'
      ? [...whole, ...registers, ...withPositions(patches)]
      : positioned === 'without-registers'
        ? withPositions([...whole, ...patches]).toSpliced(whole.length, 0, ...registers)
        : withPositions([...whole, ...registers, ...patches]);
  const tokens = placed.length / D;
  const { embeddingNorm } = params;
  const embedded = embeddingNorm
    ? plainLayerNorm(tokens, D, normEpsilon)(placed, embeddingNorm.weight, embeddingNorm.bias)
    : placed;
  return plainBlocks(tower, params.blocks, embedded);
}

function plainBlocks(
  tower: TowerConfig,
  blocks: readonly BlockParams<Values, Values>[],
  x: Values,
): number[] {
  const { embedDim: D, heads, denseHeadDim, activation, causal, normEpsilon } = tower;
  const tokens = x.length / D;
  const activated = plainActivations[activation];
  return blocks.reduce<number[]>(
    (states, { attentionNorm, attention, attentionScale, ffnNorm, ffn, ffnScale }) => {
      const inner = attention.query.weight.length / D;
      const headDim = inner / heads;
      const scaled = (added: Values, scale: Values | undefined): number[] =>
        added.map((value, i) => value * (scale === undefined ? 1 : at(scale, i % D)));
      const a = plainLayerNorm(tokens, D, normEpsilon)(states, attentionNorm.weight, attentionNorm.bias);
      const project = (name: 'query' | 'key' | 'value') =>
        plainLinear(tokens, D, inner)(
          a,
          attention[name].weight,
          attention[name].bias ?? range(inner).fill(0),
        );
      const attended = plainAttention({
        ...{ batch: 1, tokens, heads, keyDim: headDim, valueDim: headDim, causal },
        scale: 1 / Math.sqrt(denseHeadDim),
      })(project('query'), project('key'), project('value'));
      const { output } = attention;
      const between = sumOf(
        states,
        scaled(plainLinear(tokens, inner, D)(attended, output.weight, output.bias), attentionScale),
      );
      const b = plainLayerNorm(tokens, D, normEpsilon)(between, ffnNorm.weight, ffnNorm.bias);
      const { expand, contract } = ffn;
      const hidden = activated(plainLinear(tokens, D, expand.bias.length)(b, expand.weight, expand.bias));
      return sumOf(
        between,
        scaled(plainLinear(tokens, expand.bias.length, D)(hidden, contract.weight, contract.bias), ffnScale),
      );
    },
    [...x],
  );
}

/** Logits of every picture with every text, [pictures][texts]. */
export function plainSimilarities(
  { vision, text, projectionDim: P }: DualEncoderConfig,
  params: DualEncoderParams<Values, Values>,
  pictures: readonly Values[],
  texts: readonly Values[],
): number[][] {
  const embed = (states: Values, projection: Values | undefined, bias: Values = range(P).fill(0)) => {
    const projected =
      projection === undefined ? states : plainLinear(1, states.length, P)(states, projection, bias);
    return projected.map((value) => value / Math.hypot(...projected));
  };
  const images = pictures.map((picture) =>
    embed(plainPictureState(vision, params.vision, picture), params.visionProjection),
  );
  const sentences = texts.map((tokens) =>
    embed(plainTextStates(text, params.text, tokens), params.textProjection, params.textProjectionBias),
  );
  const scale = Math.exp(at(params.logitScale, 0));
  const bias = params.logitBias === undefined ? 0 : at(params.logitBias, 0);
  return images.map((image) =>
    sentences.map(
      (sentence) => bias + scale * image.reduce((sum, value, i) => sum + value * at(sentence, i), 0),
    ),
  );
}

/** A tree of tensors as lists, of the record type that the caller names. */
export const valuesOf = <Record>(tree: TensorTree): Record =>
  buildTree<Tensor, Record>(tree, (leaf) => [...leaf.dataSync()]);

const plainActivations = { gelu: plainGelu, 'gelu-tanh': plainGeluTanh, 'quick-gelu': plainQuickGelu };

const at = (values: Values, index: number): number => values[index] ?? Number.NaN;
const range = (length: number): number[] => Array.from({ length }, (_, i) => i);
const row = (values: Values, index: number, width: number): number[] =>
  values.slice(index * width, (index + 1) * width);
const sumOf = (a: Values, b: Values): number[] => a.map((value, i) => value + at(b, i));
