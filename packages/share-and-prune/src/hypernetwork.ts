import {
  type Tensor1D,
  type Tensor2D,
  add,
  mul,
  onesLike,
  reshape,
  round,
  sigmoid,
  slice,
  tensor1d,
  tensor2d,
} from '@tensorflow/tfjs-core';
import {
  type LayerNormParams,
  type LinearParams,
  type ParameterSpec,
  type RandomStream,
  differentiable,
  gelu,
  layerNorm,
  layerNormSpecs,
  linear,
  linearSpecs,
  randomStream,
} from '@winnow/core';
import { type GruParams, gru, gruSpecs } from './gru';
import type { Pairing, SubLayer } from './pairing';
import { type Structure, type SubLayerVectors, vectorSizes } from './structure';

const INPUT_SIZE = 32;
const HIDDEN_SIZE = 64;
const NORM_EPSILON = 1e-5;

/** Heads of a sub-layer; without a lender there is none for sharing. */
export type HeadParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  share?: LinearParams<Matrix, Vector>; // [64, entries of s or st]
  keep: LinearParams<Matrix, Vector>; // [64, entries of m]
};

/** GRU → layer norm → GELU → one linear head for each vector (Table S1). */
export type HypernetworkParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  gru: GruParams<Matrix, Vector>;
  norm: LayerNormParams<Vector>;
  heads: Record<string, HeadParams<Matrix, Vector>>;
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
  /** o + b: positive where a vector says 1, the greater the surer. */
  confidences(params: HypernetworkParams): Structure;
  /**
   * The structure before conflicts are resolved, hard, with a straight-through gradient to the confidences.
   * @param draw Names the Gumbel noise; without it there is none, as at the commit.
   */
  structure(confidences: Structure, draw?: string): Structure;
}

export function hypernetwork({ pairing, seed, bias, temperature }: HypernetworkOptions): Hypernetwork {
  const { subLayers } = pairing;
  const random = randomStream(seed, 'hypernetwork', 'z');
  // Fixed for good: the same for every step and run of a seed.
  const z = Float32Array.from({ length: subLayers.length * INPUT_SIZE }, () => random.uniform());
  /** Nothing is borrowed where nobody lends. */
  const isLearned = ({ lender }: SubLayer, name: 'share' | 'keep') => name === 'keep' || lender !== undefined;

  const confidences = (params: HypernetworkParams): Structure => {
    const states = gru(params.gru, tensor2d(z, [subLayers.length, INPUT_SIZE]));
    const features = gelu(layerNorm(states, params.norm.weight, params.norm.bias, NORM_EPSILON)); // [S, 64]
    return Object.fromEntries(
      subLayers.map((subLayer, index): [string, SubLayerVectors] => {
        const own: Tensor2D = slice(features, [index, 0], [1, HIDDEN_SIZE]);
        const sizes = vectorSizes(subLayer);
        const head = params.heads[subLayer.id];
        const vector = (layer: LinearParams | undefined, size: number): Tensor1D =>
          layer === undefined
            ? tensor1d(new Float32Array(size).fill(bias))
            : add(reshape(linear(own, layer.weight, layer.bias), [size]), bias);
        return [
          subLayer.id,
          { share: vector(head?.share, sizes.share), keep: vector(head?.keep, sizes.keep) },
        ];
      }),
    );
  };

  return {
    specs: {
      gru: gruSpecs(INPUT_SIZE, HIDDEN_SIZE),
      norm: layerNormSpecs(HIDDEN_SIZE),
      heads: Object.fromEntries(
        subLayers.map((subLayer) => {
          const sizes = vectorSizes(subLayer);
          return [
            subLayer.id,
            {
              ...(isLearned(subLayer, 'share') ? { share: linearSpecs(HIDDEN_SIZE, sizes.share) } : {}),
              keep: linearSpecs(HIDDEN_SIZE, sizes.keep),
            },
          ];
        }),
      ),
    },
    confidences,
    structure: (sure, draw) =>
      Object.fromEntries(
        subLayers.map((subLayer): [string, SubLayerVectors] => {
          const vectors = sure[subLayer.id];
          if (vectors === undefined) throw new RangeError(`there are no vectors for ${subLayer.id}`);
          const { share, keep } = vectors;
          const hard = (vector: Tensor1D, name: 'share' | 'keep'): Tensor1D => {
            if (!isLearned(subLayer, name)) return onesLike(vector);
            const noise =
              draw === undefined
                ? undefined
                : gumbel(vector.size, randomStream(seed, 'gumbel', draw, subLayer.id, name));
            const noisy = noise === undefined ? vector : add<Tensor1D>(vector, noise);
            return roundStraightThrough(sigmoid(mul<Tensor1D>(noisy, 1 / temperature)));
          };
          return [subLayer.id, { share: hard(share, 'share'), keep: hard(keep, 'keep') }];
        }),
      ),
  };
}

/** −log(−log U) with U uniform in (0, 1). */
function gumbel(count: number, random: RandomStream): Tensor1D {
  // 1 − U is never 0, and 1 is as likely as any other number: the smallest that −log can be told from 0.
  const noise = Float32Array.from(
    { length: count },
    () => -Math.log(Math.max(Number.EPSILON, -Math.log(1 - random.uniform()))),
  );
  return tensor1d(noise);
}

/** round(y), with the gradient of y. */
const roundStraightThrough = (y: Tensor1D): Tensor1D =>
  differentiable(
    [y],
    () => ({ value: round(y), saved: [] }),
    (dy) => [dy],
  );
