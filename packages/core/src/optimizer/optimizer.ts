import type { Tensor } from '@tensorflow/tfjs-core';
import { clipGradients } from '../operations/clip-gradients';
import { type TensorTree, entriesOf, leavesOf, mapTree, withLeaves } from '../tree/tree';

export interface OptimizerStep<Params extends TensorTree, State extends TensorTree> {
  readonly params: Params;
  readonly gradients: Params;
  readonly state: State;
  /** Counted from 0. */
  readonly step: number;
  /** The caller gives up params and state: an engine may write the results into their memory. */
  readonly donated?: boolean;
}

/**
 * An optimiser is two pure functions. `update` gives new tensors (or the old ones where nothing changes) and disposes
 * nothing: the trainer's tidy does.
 */
export interface Optimizer<Params extends TensorTree, State extends TensorTree = TensorTree> {
  init(params: Params): State;
  update(step: OptimizerStep<Params, State>): { params: Params; state: State };
  /** The learning rate of a step, for whoever looks on; undefined where there is not one. */
  learningRate?(step: number): number;
}

/** The learning rate of an optimiser for one that works by it. */
const rateOf = <Params extends TensorTree, State extends TensorTree>({
  learningRate,
}: Optimizer<Params, State>): Pick<Optimizer<Params, State>, 'learningRate'> =>
  learningRate === undefined ? {} : { learningRate };

/**
 * Scales all gradients so that their joint L2 norm is at most `maxNorm`, as PyTorch's clip_grad_norm_ does.
 */
export function clipByGlobalNorm<Params extends TensorTree, State extends TensorTree>(
  optimizer: Optimizer<Params, State>,
  maxNorm: number,
): Optimizer<Params, State> {
  return {
    ...rateOf(optimizer),
    init: (params) => optimizer.init(params),
    update: (step) => {
      const gradients = withLeaves(step.gradients, clipGradients(leavesOf(step.gradients), maxNorm));
      return optimizer.update({ ...step, gradients });
    },
  };
}

/** Updates only the leaves whose path is selected, by an optimiser that sees no others; the rest keep their tensors. */
export function only<Params extends TensorTree, State extends TensorTree>(
  optimizer: Optimizer<Record<string, Tensor>, State>,
  selects: (path: string) => boolean,
): Optimizer<Params, State> {
  const selected = (tree: Params): Record<string, Tensor> =>
    Object.fromEntries(entriesOf<Tensor>(tree).filter(([path]) => selects(path)));
  return {
    ...rateOf(optimizer),
    init: (params) => optimizer.init(selected(params)),
    update: ({ params, gradients, state, ...rest }) => {
      const own = { ...rest, params: selected(params), gradients: selected(gradients), state };
      const updated = optimizer.update(own);
      return { params: mapTree(params, (leaf, path) => updated.params[path] ?? leaf), state: updated.state };
    },
  };
}
