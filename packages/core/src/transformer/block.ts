import { type Tensor1D, type Tensor2D, add } from '@tensorflow/tfjs-core';
import { type Activation, activate } from '../operations/activation';
import { attention } from '../operations/attention';
import { layerNorm } from '../operations/layer-norm';
import { linear } from '../operations/linear';
import type { ParameterSpec } from './parameter';
import { normal, ones, zeros } from './parameter';

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
  readonly headDim: number;
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

/** x [B·T, D] → [B·T, D]: x + attention(norm x), then + ffn(norm of that). */
export function block(
  params: BlockParams,
  x: Tensor2D,
  tower: TowerConfig,
  { batch, tokens }: { batch: number; tokens: number },
): Tensor2D {
  const { heads, normEpsilon, causal } = tower;
  const scale = 1 / Math.sqrt(tower.denseHeadDim);
  const norm = (x: Tensor2D, { weight, bias }: LayerNormParams) => layerNorm(x, weight, bias, normEpsilon);
  const project = (x: Tensor2D, { weight, bias }: LinearParams) => linear(x, weight, bias);

  const { query, key, value, output } = params.attention;
  const a = norm(x, params.attentionNorm); // [B·T, D]
  const attended = attention(project(a, query), project(a, key), project(a, value), {
    batch,
    tokens,
    heads,
    scale,
    causal,
  }); // [B·T, H·d]
  const y = add<Tensor2D>(x, project(attended, output)); // [B·T, D]

  const hidden = activate(project(norm(y, params.ffnNorm), params.ffn.expand), tower.activation); // [B·T, hidden]
  return add(y, project(hidden, params.ffn.contract)); // [B·T, D]
}

/** The parameters of one block, described: shapes and initial values. */
export function blockSpecs(
  { embedDim: D, heads }: TowerConfig,
  { headDim, hiddenDim }: BlockShape,
): BlockParams<ParameterSpec, ParameterSpec> {
  const inner = heads * headDim;
  return {
    attentionNorm: layerNormSpecs(D),
    attention: {
      query: linearSpecs(D, inner),
      key: linearSpecs(D, inner),
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
