import { type Cost, sumCosts } from '../sites/site';

/**
 * The cost of a part of a model. MACs are multiply–accumulates of the matrix products (QKᵀ and attention·V included)
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
