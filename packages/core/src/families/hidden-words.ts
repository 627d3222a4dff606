import { type Tensor1D, type Tensor2D, add, matMul } from '@tensorflow/tfjs-core';
import { type Layer, together } from '../layers/layer';
import { type LinearParams, linearLayer, project } from '../layers/linear';
import { type LayerNormParams, normLayer, normalize } from '../layers/norm';
import { type Observe, observeUnder, resultOf } from '../layers/observe';
import { type ParameterSpec, zeros } from '../layers/parameter';
import { activate } from '../operations/activation';

/** Guesses a token's own embedding again: a word that was hidden, or what a region shows. */
export type HiddenParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  transform: LinearParams<Matrix, Vector>; // [D, D]
  norm: LayerNormParams<Vector>;
  bias: Vector; // [V] of words, [F] of features
};

/** The head that guesses one of V words, or F features, by the matrix of their embedding (BERT; UNITER, `RegionFeatureRegression`). */
export const hiddenLayer = (D: number, guessed: number, normEpsilon: number) =>
  together({
    transform: linearLayer(D, D),
    norm: normLayer(D, normEpsilon),
    bias: guessedBias(guessed, D),
  });

/** The bias of what is guessed, and the product with its own matrix. */
const guessedBias = (guessed: number, D: number): Layer<ParameterSpec> => ({
  specs: zeros([guessed]),
  describe: ({ path, uses }) => {
    const tokens = uses.reduce((sum, use) => sum + use.tokens, 0);
    return { sites: [], lines: [{ part: path, parameters: guessed, macs: tokens * D * guessed }] };
  },
});

/**
 * States [N, D] → what is guessed, [N, V] or [N, F].
 * @param embedding Of words [V, D].
 */
export function guessed(
  { transform, norm, bias }: HiddenParams,
  states: Tensor2D,
  embedding: Tensor2D,
  {
    normEpsilon,
    observe,
    key,
  }: { readonly normEpsilon: number; readonly observe: Observe | undefined; readonly key: string },
): Tensor2D {
  const own = observeUnder(observe, key);
  const thought = activate(project(states, transform, 'transform', own), 'gelu');
  const normed = normalize(thought, norm, normEpsilon);
  own?.('bias', normed);
  const found = add<Tensor2D>(matMul(normed, embedding, false, true), bias);
  own?.(resultOf('bias'), found);
  return found;
}
