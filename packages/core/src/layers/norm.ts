import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { layerNormCost } from '../account/account';
import { layerNorm } from '../operations/layer-norm';
import type { Layer } from './layer';
import { type ParameterSpec, ones, zeros } from './parameter';

export type LayerNormParams<Vector = Tensor1D> = { weight: Vector; bias: Vector };

/** A layer norm over D entries of every token. */
export interface NormLayer extends Layer<LayerNormParams<ParameterSpec>> {
  readonly epsilon: number;
}

export function normLayer(dim: number, epsilon: number): NormLayer {
  return {
    epsilon,
    specs: { weight: ones([dim]), bias: zeros([dim]) },
    describe: ({ path, uses }) => {
      const tokens = uses.reduce((sum, use) => sum + use.tokens, 0);
      return { sites: [], lines: [{ part: path, ...layerNormCost(dim, tokens) }] };
    },
  };
}

/** x [N, D] → [N, D]. */
export const normalize = (x: Tensor2D, { weight, bias }: LayerNormParams, epsilon: number): Tensor2D =>
  layerNorm(x, weight, bias, epsilon);
