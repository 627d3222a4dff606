import type { Tensor } from '@tensorflow/tfjs-core';
import type { ParameterSpec } from '../layers/parameter';
import { type Tree, entriesOf } from '../tree/tree';

/** Tells whether weight decay pulls on a parameter. */
export type Decays = (parameter: Tensor, path: string) => boolean;

/** The rule where no model says otherwise: matrices decay; biases, norms and scales do not. */
export const matricesDecay: Decays = (parameter) => parameter.rank >= 2;

/**
 * The rule of a model's published recipe: matrices decay, but for those whose specifications say that they do not.
 * @param prefix what stands before the model's paths in the tree that is trained, `weights.` say; what stands beside the
 * model in it decays where it has two axes or more.
 */
export function decaysOf(specs: Tree<ParameterSpec>, prefix = ''): Decays {
  const spared = new Set(
    entriesOf<ParameterSpec>(specs).flatMap(([path, { decays = true }]) => (decays ? [] : [prefix + path])),
  );
  return (parameter, path) => matricesDecay(parameter, path) && !spared.has(path);
}
