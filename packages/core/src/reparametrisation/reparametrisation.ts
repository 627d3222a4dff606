import type { TensorTree } from '../tree/tree';

/**
 * The way from parameters that are stored and trained to those that a forward pass reads: masked weights become zeros,
 * shared columns stand in every place. Gradients flow through it.
 */
export interface Reparametrisation<
  Params extends TensorTree = TensorTree,
  Constants extends TensorTree = TensorTree,
> {
  /** Makes the tensors that `apply` reads, once for any number of calls. The caller owns them. */
  init(): Constants;
  /** Stored → running parameters. Call it in a tidy; the result may share tensors with what is stored. */
  apply(stored: Params, constants: Constants): Params;
}

/** The reparametrisation of a model that stores what it runs. */
export const unchanged = <Params extends TensorTree>(): Reparametrisation<Params> => ({
  init: () => ({}),
  apply: (stored) => stored,
});

/** One reparametrisation after the other. */
export const inTurn = <Params extends TensorTree, First extends TensorTree, Second extends TensorTree>(
  first: Reparametrisation<Params, First>,
  second: Reparametrisation<Params, Second>,
): Reparametrisation<Params, { first: First; second: Second }> => ({
  init: () => ({ first: first.init(), second: second.init() }),
  apply: (stored, constants) => second.apply(first.apply(stored, constants.first), constants.second),
});

/** Running parameters for once: the constants are made for them alone. Call it in a tidy, which disposes them. */
export const applied = <Params extends TensorTree>(
  { init, apply }: Reparametrisation<Params>,
  stored: Params,
): Params => apply(stored, init());
