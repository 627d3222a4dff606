import { type Activation, type PictureSize, type TowerConfig, sizeText } from '@winnow/core';
import { z } from 'zod';
import { FormatError } from '../../file/format-error';

/** Our activations by their names. */
const activations = {
  gelu: 'gelu',
  gelu_pytorch_tanh: 'gelu-tanh',
  quick_gelu: 'quick-gelu',
} as const satisfies Record<string, Activation>;
const theirActivations = {
  gelu: 'gelu',
  'gelu-tanh': 'gelu_pytorch_tanh',
  'quick-gelu': 'quick_gelu',
} as const satisfies Record<Activation, string>;

export const hiddenAct = z.enum(
  ['gelu', 'gelu_pytorch_tanh', 'quick_gelu'],
  'expected gelu, gelu_pytorch_tanh or quick_gelu: other activations are not supported',
);

/** The fields in which every `config.json` describes a stack of layers. */
export interface HuggingFaceTower {
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly intermediate_size: number;
  readonly hidden_act: keyof typeof activations;
  readonly layer_norm_eps: number;
}

export const hasWholeHeads = ({ hidden_size, num_attention_heads }: HuggingFaceTower): boolean =>
  hidden_size % num_attention_heads === 0;
export const wholeHeads = {
  path: ['hidden_size'],
  message: 'expected a multiple of num_attention_heads',
};

/** Their layers → ours, all of one size. */
export function towerOf(config: HuggingFaceTower, { causal }: Pick<TowerConfig, 'causal'>): TowerConfig {
  const { hidden_size: embedDim, num_attention_heads: heads } = config;
  const headDim = embedDim / heads;
  return {
    embedDim,
    heads,
    denseHeadDim: headDim,
    activation: activations[config.hidden_act],
    causal,
    normEpsilon: config.layer_norm_eps,
    blocks: Array.from({ length: config.num_hidden_layers }, () => ({
      headDim,
      hiddenDim: config.intermediate_size,
    })),
  };
}

/**
 * Our layers → theirs.
 * @param options The tower's name, where a model has several; whether theirs has layer scale, and a field for whether there
 * are biases of queries, keys and values.
 * @throws {FormatError} when they differ in size, their heads do not fill the width, or theirs has not what they have.
 */
export function theirTower(
  { embedDim, heads, denseHeadDim, activation, normEpsilon, blocks, layerScale, inputBias }: TowerConfig,
  {
    name,
    hasLayerScale = false,
    saysBias = false,
  }: {
    readonly name?: string | undefined;
    readonly hasLayerScale?: boolean;
    readonly saysBias?: boolean;
  } = {},
): HuggingFaceTower {
  if (layerScale !== undefined && !hasLayerScale)
    throw notExpressible('expected a model without layer scale, got one with it');
  if (inputBias === false && !saysBias)
    throw notExpressible('expected biases of queries, keys and values, got none');
  const hiddenDim = blocks[0]?.hiddenDim ?? 0;
  const theirHeadDim = embedDim / heads;
  const odd = blocks.findIndex(
    (block) =>
      (block.heads ?? heads) !== heads ||
      (block.queryKeyDim ?? theirHeadDim) !== theirHeadDim ||
      block.headDim !== theirHeadDim ||
      denseHeadDim !== theirHeadDim ||
      block.hiddenDim !== hiddenDim,
  );
  if (odd !== -1) {
    const { heads: own = heads, headDim = 0, hiddenDim: hidden = 0 } = blocks[odd] ?? {};
    const tower = name === undefined ? '' : ` of the ${name} tower`;
    throw notExpressible(
      `expected ${heads} heads of ${theirHeadDim} and ${hiddenDim} hidden units in every layer${tower}, ` +
        `got ${own} heads of ${headDim} and ${hidden} hidden units in layer ${odd}`,
    );
  }
  return {
    hidden_size: embedDim,
    num_hidden_layers: blocks.length,
    num_attention_heads: heads,
    intermediate_size: hiddenDim,
    hidden_act: theirActivations[activation],
    layer_norm_eps: normEpsilon,
  };
}

/** A model that their `config.json` has no words for. */
export const notExpressible = (what: string): FormatError =>
  new FormatError(`cannot export this model for Hugging Face: ${what}; save it in our own format instead`);

/** Our picture size → theirs, of models that may have rectangles. */
export function theirImageSize(size: PictureSize): number | readonly [height: number, width: number] {
  if (typeof size === 'number') return size;
  return [size.height, size.width];
}

/**
 * The same of models whose pictures are squares in `transformers`.
 * @throws {FormatError} for a rectangle.
 */
export function theirSquare(size: PictureSize, model: string): number {
  if (typeof size === 'number') return size;
  throw notExpressible(
    `expected square pictures, the only ones that ${model} of transformers has, got ${sizeText(size)} px`,
  );
}
