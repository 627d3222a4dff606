import { type Tensor1D, type Tensor2D, add, tensor2d } from '@tensorflow/tfjs-core';
import {
  type LayerNormParams,
  type LinearParams,
  type ParameterSpec,
  gelu,
  layerNorm,
  normLayer,
  randomStream,
} from '@winnow/core';
import { type DrawnStructure, drawGates, drawStructure, gumbelNoise } from './gates';
import { type GruParams, gru, gruSpecs } from './gru';
import { heads, headsSpecs } from './heads';
import { type Layout, entriesOfSubLayer, layoutOf } from './layout';
import type { Pairing } from './pairing';
import { type StructureVector, resolveConflicts } from './structure';

const INPUT_SIZE = 32;
const HIDDEN_SIZE = 64;
const NORM_EPSILON = 1e-5;

/** GRU → layer norm → GELU → one linear head for each vector (Table S1); all heads lie side by side, as the layout has them. */
export type HypernetworkParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  gru: GruParams<Matrix, Vector>;
  norm: LayerNormParams<Vector>;
  heads: LinearParams<Matrix, Vector>; // [64, N]
};

export interface HypernetworkOptions {
  readonly pairing: Pairing;
  readonly seed: number;
  /** b: what keeps everything at the start. */
  readonly bias: number;
  /** τ. */
  readonly temperature: number;
}

export interface Hypernetwork {
  readonly specs: HypernetworkParams<ParameterSpec, ParameterSpec>;
  readonly layout: Layout;
  /** o + b [N]: positive where a vector says 1, the greater the surer. */
  confidences(params: HypernetworkParams): Tensor1D;
  /** A structure, conflicts resolved, with gradients to the confidences; `draw` names the Gumbel noise. */
  draw(confidences: Tensor1D, draw: string): DrawnStructure;
  /** One of the same distribution from the gates' probabilities, in host memory, conflicts resolved. */
  drawHard(probabilities: Float64Array, draw: string): StructureVector;
}

export function hypernetwork({ pairing, seed, bias, temperature }: HypernetworkOptions): Hypernetwork {
  const { subLayers } = pairing;
  const layout = layoutOf(pairing);
  const sizes = subLayers.map(entriesOfSubLayer);
  const random = randomStream(seed, 'hypernetwork', 'z');
  // Fixed for good: the same for every step and run of a seed.
  const z = Float32Array.from({ length: subLayers.length * INPUT_SIZE }, () => random.uniform());
  return {
    specs: {
      gru: gruSpecs(INPUT_SIZE, HIDDEN_SIZE),
      norm: normLayer(HIDDEN_SIZE, NORM_EPSILON).specs,
      heads: headsSpecs(HIDDEN_SIZE, layout.size),
    },
    layout,
    confidences: (params) => {
      const states = gru(params.gru, tensor2d(z, [subLayers.length, INPUT_SIZE]));
      const features = gelu(layerNorm(states, params.norm.weight, params.norm.bias, NORM_EPSILON)); // [S, 64]
      return add(heads(features, params.heads, sizes), bias);
    },
    draw: (confidences, draw) =>
      drawStructure(confidences, gumbelNoise(layout.size, randomStream(seed, 'gumbel', draw)), {
        layout,
        temperature,
      }),
    drawHard: (probabilities, draw) =>
      resolveConflicts(drawGates(probabilities, randomStream(seed, 'gumbel', draw)), layout),
  };
}
