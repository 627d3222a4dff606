import {
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  add,
  argMax,
  cast,
  equal,
  range,
  reshape,
  slice,
} from '@tensorflow/tfjs-core';
import { type AccountLine, layerNormCost, towerAccount } from '../account/account';
import { gatherRows } from '../operations/gather-rows';
import { layerNorm } from '../operations/layer-norm';
import {
  type BlockParams,
  type LayerNormParams,
  block,
  blockSpecs,
  layerNormSpecs,
} from '../transformer/block';
import { type ParameterSpec, normal } from '../transformer/parameter';
import type { Perturb } from './perturbation';
import type { EndToken, TextTowerConfig } from './text-tower-config';

export type TextTowerParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  tokenEmbedding: Matrix; // [V, D]
  positions: Matrix; // [context, D]
  blocks: BlockParams<Matrix, Vector>[];
  norm: LayerNormParams<Vector>;
};

/**
 * Token sequences [B, T] (int32, T at most the context) → normalised last hidden state of each text's end, [B, D].
 * Every text must have an end: whoever holds the tokens makes sure of it, by `checkTextEnds`. Tokens after the first end token change nothing, as no token sees later ones; so a batch may be cut to its longest text.
 * @throws {RangeError} when the sequences are longer than the context.
 */
export function textStates(
  config: TextTowerConfig,
  params: TextTowerParams,
  tokens: Tensor2D,
  perturb: Perturb = (_, embedding) => embedding,
): Tensor2D {
  const [batch, length] = tokens.shape;
  const { embedDim: D, normEpsilon } = config.tower;
  if (length > config.context) {
    throw new RangeError(`expected texts of at most ${config.context} tokens, got ${length}`);
  }
  const positions: Tensor2D =
    length === config.context ? params.positions : slice(params.positions, [0, 0], [length, D]);
  const words: Tensor3D = reshape(gatherRows(params.tokenEmbedding, reshape(tokens, [batch * length])), [
    batch,
    length,
    D,
  ]);
  const embedded: Tensor2D = reshape(add(perturb('words', words), positions), [batch * length, D]);
  const rows = endRows(tokens, config.endToken);
  const read = (x: Tensor2D) => gatherRows(x, rows); // [B, D]
  const last = params.blocks.length - 1;
  const states = params.blocks.reduce(
    (x, layer, index) => block(layer, x, config.tower, length, index === last ? read : undefined),
    embedded,
  );
  return layerNorm(last < 0 ? read(states) : states, params.norm.weight, params.norm.bias, normEpsilon);
}

/** The row of each sequence's first end token among all B·T of them, [B]. */
function endRows(tokens: Tensor2D, endToken: EndToken): Tensor1D {
  const [batch, length] = tokens.shape;
  const ends = endToken === 'greatest' ? tokens : cast(equal(tokens, endToken), 'int32');
  const positions = argMax<Tensor1D>(ends, 1); // the first of equal ones
  return add(positions, range(0, batch * length, length, 'int32'));
}

/** Standard deviations of the published initialisation (Radford et al., 2021; its code): 0.02 and 0.01. */
export function textTowerSpecs({
  vocabulary,
  context,
  tower,
}: TextTowerConfig): TextTowerParams<ParameterSpec, ParameterSpec> {
  const { embedDim: D } = tower;
  return {
    tokenEmbedding: normal([vocabulary, D], 0.02),
    positions: normal([context, D], 0.01),
    blocks: tower.blocks.map((shape) => blockSpecs(tower, shape)),
    norm: layerNormSpecs(D),
  };
}

/** What the tower costs for a text of the full context, its parts under `prefix`. */
export function textTowerAccount(config: TextTowerConfig, prefix = ''): AccountLine[] {
  const { vocabulary, context, tower } = config;
  const { embedDim: D } = tower;
  return [
    { part: `${prefix}tokenEmbedding`, parameters: vocabulary * D, macs: 0 },
    { part: `${prefix}positions`, parameters: context * D, macs: 0 },
    ...towerAccount(tower, `${prefix}blocks`, context),
    { part: `${prefix}norm`, ...layerNormCost(D, context) },
  ];
}
