import { type Tensor, gather, tensor1d, tidy } from '@tensorflow/tfjs-core';
import type { Decision } from '../decision/decision';
import type { Cut, DecisionKind } from '../decision/kind';
import { type CutList, planOf } from '../decision/plan';
import { masked } from '../families/masked';
import type { Model } from '../families/model';
import type { Prediction } from '../families/prediction';
import { zeroed } from '../mask/apply';
import type { Site } from '../sites/site';
import { pathWithin } from '../tree/path';
import { withEntries } from '../tree/record';
import { type TensorTree, pickTree, tidyTree } from '../tree/tree';

/**
 * Cuts a tree for real: the units that the decision drops are gone from every coupled parameter, and of shared columns
 * each is left with its owner alone; a parameter of which nothing is left is left out, and of a list of which whole blocks
 * go, those that stay move up. Works on parameters and on
 * anything of the same records: gradients, optimiser moments. The caller owns the result, which shares no tensor with
 * its input.
 * @throws {RangeError} when the decision does not fit the sites.
 */
export function cutTree<T extends TensorTree>(
  tree: T,
  sites: readonly Site[],
  decision: Decision,
  table?: readonly DecisionKind[],
): T {
  const { cuts, lists } = planOf(sites, decision, table);
  const cut = pickTree(tree, (leaf: Tensor, path) =>
    isGone(lists, path) ? undefined : cutLeaf(leaf, cuts.get(path) ?? []),
  );
  return lists.reduce((left, { path, kept }) => withEntries(left, path, kept), cut);
}

/** Whether a parameter stands in a block that goes. */
const isGone = (lists: readonly CutList[], parameter: string): boolean =>
  lists.some(({ path, kept }) => {
    const within = pathWithin(path, parameter);
    return within !== undefined && !kept.includes(Number.parseInt(within, 10));
  });

function cutLeaf(leaf: Tensor, cuts: readonly Cut[]): Tensor | undefined {
  if (cuts.some(({ indices }) => indices.length === 0)) return undefined;
  return tidy(() =>
    cuts.reduce((cut, { axis, indices }) => gather(cut, tensor1d([...indices], 'int32'), axis), leaf.clone()),
  );
}

/**
 * The model that a decision leaves: sites cut first, then single weights masked.
 * @throws {RangeError} when the decision's masks do not fit what is left of the sites.
 */
export function compactModel<Params extends TensorTree, Inputs, Output extends Prediction = Prediction>(
  model: Model<Params, Inputs, Output>,
  decision: Decision,
): Model<Params, Inputs, Output> {
  const cut = model.shrink(decision);
  return decision.masks === undefined ? cut : masked(cut, decision.masks);
}

/**
 * A smaller model and its parameters: what the decision cuts is gone, what it masks is 0. The caller owns them; `params`
 * stays the caller's too.
 */
export function compact<Params extends TensorTree, Inputs, Output extends Prediction = Prediction>(
  model: Model<Params, Inputs, Output>,
  params: Params,
  decision: Decision,
): { model: Model<Params, Inputs, Output>; params: Params } {
  const { masks } = decision;
  return {
    model: compactModel(model, decision),
    params:
      masks === undefined
        ? cutTree(params, model.sites, decision)
        : tidyTree(() => zeroed(cutTree(params, model.sites, decision), masks)),
  };
}
