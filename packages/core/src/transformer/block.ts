import { type Tensor1D, type Tensor2D, type Tensor3D, reshape, slice } from '@tensorflow/tfjs-core';
import type { Activation } from '../operations/activation';
import type { ParameterSpec } from './parameter';
import { normal, ones, zeros } from './parameter';
import { attentionSublayer, ffnSublayer } from './sublayers';

/** Leaves are tensors in a model, specifications in its description. W in the X·W convention: [in, out]. */
export type LinearParams<Matrix = Tensor2D, Vector = Tensor1D> = { weight: Matrix; bias: Vector };
export type LayerNormParams<Vector = Tensor1D> = { weight: Vector; bias: Vector };

export type AttentionParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  query: LinearParams<Matrix, Vector>; // [D, H·d]
  key: LinearParams<Matrix, Vector>; // [D, H·d]
  value: LinearParams<Matrix, Vector>; // [D, H·d]
  output: LinearParams<Matrix, Vector>; // [H·d, D]
};

export type FfnParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  expand: LinearParams<Matrix, Vector>; // [D, hidden]
  contract: LinearParams<Matrix, Vector>; // [hidden, D]
};

export type BlockParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  attentionNorm: LayerNormParams<Vector>;
  attention: AttentionParams<Matrix, Vector>;
  ffnNorm: LayerNormParams<Vector>;
  ffn: FfnParams<Matrix, Vector>;
};

/** What may differ from layer to layer: a cut makes `headDim` and `hiddenDim` smaller. */
export interface BlockShape {
  /** Of the values, and of queries and keys unless they have fewer. */
  readonly headDim: number;
  /** Columns of queries and keys in each head, where some were pruned: those of the fullest head. */
  readonly queryKeyDim?: number;
  readonly hiddenDim: number;
}

/** A stack of pre-norm blocks of one width. */
export interface TowerConfig {
  /** D: width of the residual stream. */
  readonly embedDim: number;
  /** H. */
  readonly heads: number;
  /** Head dimension of the dense model; the attention scale stays 1/√denseHeadDim after a cut. */
  readonly denseHeadDim: number;
  readonly activation: Activation;
  readonly causal: boolean;
  readonly normEpsilon: number;
  readonly blocks: readonly BlockShape[];
}

/**
 * x [B·T, D] → [N, D]: x + attention(norm x), then + ffn(norm of that).
 * @param read Picks the N tokens that are read afterwards, all by default. The others end with attention, as the
 * feed-forward network sees every token for itself.
 */
export function block(
  params: BlockParams,
  x: Tensor2D,
  tower: TowerConfig,
  tokens: number,
  read: (x: Tensor2D) => Tensor2D = (x) => x,
): Tensor2D {
  const { heads, normEpsilon, causal, activation } = tower;
  const scale = 1 / Math.sqrt(tower.denseHeadDim);
  const shape = { tokens, heads, scale, causal, normEpsilon };
  const attended = attentionSublayer(x, params.attentionNorm, params.attention, shape); // [B·T, D]
  return ffnSublayer(read(attended), params.ffnNorm, params.ffn, { activation, normEpsilon });
}

/** [B·T, D] → [B·R, D]: the first `count` tokens of each sequence. */
export function firstTokens(x: Tensor2D, tokens: number, count: number): Tensor2D {
  const [rows, D] = x.shape;
  const batch = rows / tokens;
  const perSequence: Tensor3D = reshape(x, [batch, tokens, D]);
  return reshape(slice(perSequence, [0, 0, 0], [batch, count, D]), [batch * count, D]);
}

/** The parameters of one block, described: shapes and initial values. */
export function blockSpecs(
  { embedDim: D, heads }: TowerConfig,
  { headDim, queryKeyDim = headDim, hiddenDim }: BlockShape,
): BlockParams<ParameterSpec, ParameterSpec> {
  const inner = heads * headDim;
  const compared = heads * queryKeyDim;
  return {
    attentionNorm: layerNormSpecs(D),
    attention: {
      query: linearSpecs(D, compared),
      key: linearSpecs(D, compared),
      value: linearSpecs(D, inner),
      output: linearSpecs(inner, D),
    },
    ffnNorm: layerNormSpecs(D),
    ffn: { expand: linearSpecs(D, hiddenDim), contract: linearSpecs(hiddenDim, D) },
  };
}

/** Xavier: standard deviation √(2/(in + out)), zero bias. */
export function linearSpecs(inDim: number, outDim: number): LinearParams<ParameterSpec, ParameterSpec> {
  return { weight: normal([inDim, outDim], Math.sqrt(2 / (inDim + outDim))), bias: zeros([outDim]) };
}

export function layerNormSpecs(dim: number): LayerNormParams<ParameterSpec> {
  return { weight: ones([dim]), bias: zeros([dim]) };
}
