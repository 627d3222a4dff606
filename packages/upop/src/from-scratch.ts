import {
  type Compressed,
  type CompressionRun,
  type TensorTree,
  disposeTree,
  initialize,
  pruneAtOnce,
  withinSites,
} from '@winnow/core';

/**
 * Fresh parameters of a smaller model, the same share of every site: the control that says what training alone gives a
 * model of this size, when it gets all the compute that the dense model and the method got.
 */
export function startFromScratch(run: CompressionRun): Compressed {
  const { sites, specs } = run.model;
  const equal = Object.fromEntries(sites.map(({ id, units }) => [id, new Float32Array(units)]));
  const fresh = initialize<TensorTree>(specs, run.seed);
  try {
    return pruneAtOnce({ ...run, params: fresh }, withinSites(sites, equal));
  } finally {
    disposeTree(fresh);
  }
}
