import { type Tensor, gather, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { type Decision, checkDecision, keptUnits } from '../decision/decision';
import type { Model } from '../models/model';
import type { Site } from '../sites/site';
import { type TensorTree, mapTree } from '../tree/tree';

/**
 * Cuts a tree for real: the units that the decision drops are gone from every coupled parameter. Works on parameters
 * and on anything of the same records: gradients, optimiser moments. The caller owns the result, which shares no
 * tensor with its input.
 * @throws {RangeError} when the decision does not fit the sites.
 */
export function cutTree<T extends TensorTree>(tree: T, sites: readonly Site[], decision: Decision): T {
  checkDecision(decision, sites);
  const cuts = new Map<string, { axis: number; indices: number[] }[]>();
  for (const site of sites) {
    const kept = keptUnits(decision, site);
    if (kept.length === site.units) continue;
    for (const { parameter, axis, copies } of site.couplings) {
      const indices = Array.from({ length: copies }, (_, copy) =>
        kept.map((unit) => copy * site.units + unit),
      ).flat();
      cuts.set(parameter, [...(cuts.get(parameter) ?? []), { axis, indices }]);
    }
  }
  return mapTree(tree, (leaf, path) => cutLeaf(leaf, cuts.get(path) ?? []));
}

function cutLeaf(leaf: Tensor, cuts: readonly { axis: number; indices: number[] }[]): Tensor {
  return tidy(() =>
    cuts.reduce((cut, { axis, indices }) => gather(cut, tensor1d(indices, 'int32'), axis), leaf.clone()),
  );
}

/** A physically smaller model and its parameters. The caller owns them; `params` stays the caller's too. */
export function compact<Params extends TensorTree, Inputs>(
  model: Model<Params, Inputs>,
  params: Params,
  decision: Decision,
): { model: Model<Params, Inputs>; params: Params } {
  return { model: model.shrink(decision), params: cutTree(params, model.sites, decision) };
}
