import { add, div, maximum, mul, sqrt, square, sum, zerosLike } from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { type TensorTree, leavesOf, mapTree, zipTrees } from '../tree/tree';

export interface OptimizerStep<Params extends TensorTree, State extends TensorTree> {
  readonly params: Params;
  readonly gradients: Params;
  readonly state: State;
  /** Counted from 0. */
  readonly step: number;
}

/**
 * An optimiser is two pure functions. `update` gives new tensors (or the old ones where nothing changes) and disposes
 * nothing: the trainer's tidy does.
 */
export interface Optimizer<Params extends TensorTree, State extends TensorTree = TensorTree> {
  init(params: Params): State;
  update(step: OptimizerStep<Params, State>): { params: Params; state: State };
}

/**
 * Scales all gradients so that their joint L2 norm is at most `maxNorm`, as PyTorch's clip_grad_norm_ does.
 */
export function clipByGlobalNorm<Params extends TensorTree, State extends TensorTree>(
  optimizer: Optimizer<Params, State>,
  maxNorm: number,
): Optimizer<Params, State> {
  return {
    init: (params) => optimizer.init(params),
    update: (step) => {
      const squares = leavesOf(step.gradients).map((gradient): Tensor => sum(square(gradient)));
      const norm = sqrt(squares.reduce((total, one) => add(total, one)));
      const scale = div(maxNorm, maximum(add(norm, 1e-6), maxNorm));
      return optimizer.update({
        ...step,
        gradients: mapTree(step.gradients, (gradient) => mul(gradient, scale)),
      });
    },
  };
}

/** Updates only the leaves whose path is selected; the others keep their tensors and count as zero gradients. */
export function only<Params extends TensorTree, State extends TensorTree>(
  optimizer: Optimizer<Params, State>,
  selects: (path: string) => boolean,
): Optimizer<Params, State> {
  return {
    init: (params) => optimizer.init(params),
    update: (step) => {
      const gradients = mapTree(step.gradients, (leaf, path) => (selects(path) ? leaf : zerosLike(leaf)));
      const updated = optimizer.update({ ...step, gradients });
      const params = zipTrees([step.params, updated.params], ([before, after], path) =>
        selects(path) ? after : before,
      );
      return { params, state: updated.state };
    },
  };
}
