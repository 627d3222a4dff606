import type { BlockShape, TowerConfig } from '../transformer/block';
import { type Cost, sumCosts } from '../sites/site';

/**
 * What a part of a model costs. MACs are multiply–accumulates of the matrix products (QKᵀ and attention·V included)
 * plus 5·T·D per layer norm, for one example; softmax, activations and elementwise operations count 0, as in UPop's
 * published counter.
 */
export interface AccountLine extends Cost {
  /** Path of the part in the model's record: `blocks.3.ffn`. */
  readonly part: string;
}

export interface Account extends Cost {
  readonly lines: readonly AccountLine[];
}

export function accountOf(lines: readonly AccountLine[]): Account {
  return { ...sumCosts(lines), lines };
}

export const linearCost = (inDim: number, outDim: number, rows: number): Cost => ({
  parameters: inDim * outDim + outDim,
  macs: rows * inDim * outDim,
});

export const layerNormCost = (dim: number, rows: number): Cost => ({
  parameters: 2 * dim,
  macs: 5 * rows * dim,
});

/** The blocks of a tower over T tokens, four lines each. */
export function towerAccount(config: TowerConfig, path: string, tokens: number): AccountLine[] {
  return config.blocks.flatMap((shape, layer) => blockAccount(config, shape, `${path}.${layer}`, tokens));
}

function blockAccount(
  { embedDim: D, heads: H }: TowerConfig,
  { headDim, queryKeyDim = headDim, hiddenDim }: BlockShape,
  path: string,
  T: number,
): AccountLine[] {
  const inner = H * headDim;
  const compared = H * queryKeyDim;
  const projections = sumCosts([
    linearCost(D, compared, T),
    linearCost(D, compared, T),
    linearCost(D, inner, T),
    linearCost(inner, D, T),
  ]);
  return [
    { part: `${path}.attentionNorm`, ...layerNormCost(D, T) },
    {
      part: `${path}.attention`,
      parameters: projections.parameters,
      macs: projections.macs + T * T * (compared + inner), // QKᵀ and attention·V
    },
    { part: `${path}.ffnNorm`, ...layerNormCost(D, T) },
    { part: `${path}.ffn`, ...sumCosts([linearCost(D, hiddenDim, T), linearCost(hiddenDim, D, T)]) },
  ];
}
