import { type Scalar, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
import { type TensorTree, type UnitPenalty, entriesOf, mapTree, penalizeUnits } from '@winnow/core';
import type { Layout, Place } from './layout';
import type { StructureVector } from './structure';

/** Inside the root of the group lasso: its gradient exists at a column of zeros. */
const EPSILON = 1e-12;

/** Weights as they are, with R_w: the gradients of both uses come together where these weights are used. */
export interface Aligned<Params> {
  readonly penalty: Scalar;
  readonly weights: Params;
}

/**
 * R_w, which pulls the weights towards the structure: the ℓ₁ distance of every borrowed column to the lender's, and the
 * ℓ₂ norm of every pruned column (of FFN, of the column of W_E and of the row of W_C). On the dense weights; both sides
 * of a distance get gradients. Vision is pulled towards the text column of its layer, as it stands. The bias of a
 * column counts as one more entry of it, as it is shared and pruned with it.
 */
export function alignment<Params extends TensorTree>(
  weights: Params,
  resolved: StructureVector,
  { places }: Layout,
): Aligned<Params> {
  const shared = resolved.map((entry) => 1 - entry);
  const list = listOf(entriesOf<Tensor>(weights));
  const terms = places.map((place) => termsOf(place, shared, list));
  const { penalty, parameters } = penalizeUnits({
    parameters: list.parameters,
    weights: tensor1d(shared),
    distances: terms.flatMap(({ distances }) => distances),
    norms: terms.flatMap(({ norms }) => norms),
    epsilon: EPSILON,
  });
  return {
    penalty,
    weights: mapTree(weights, (leaf, path) => parameters[list.positions.get(path) ?? -1] ?? leaf),
  };
}

/** Parameters that terms are about, in the order in which they are first named. */
interface ParameterList {
  readonly parameters: { readonly parameter: Tensor; readonly axis: 0 | 1 }[];
  readonly positions: Map<string, number>;
  /** @throws {RangeError} when there is no such parameter. */
  position(path: string, axis: 0 | 1): number;
}

function listOf(entries: readonly [string, Tensor][]): ParameterList {
  const tensors = new Map(entries);
  const parameters: ParameterList['parameters'] = [];
  const positions = new Map<string, number>();
  return {
    parameters,
    positions,
    position: (path, axis) => {
      const known = positions.get(path);
      if (known !== undefined) return known;
      const parameter = tensors.get(path);
      if (parameter === undefined) throw new RangeError(`there is no parameter ${path}`);
      positions.set(path, parameters.length);
      return parameters.push({ parameter, axis }) - 1;
    },
  };
}

/** The terms of a sub-layer that are not zero throughout. */
function termsOf(
  { subLayer, shareFrom, keepFrom, parameters }: Place,
  shared: Float32Array,
  list: ParameterList,
): Pick<UnitPenalty, 'distances' | 'norms'> {
  const { columns } = subLayer;
  const isSome = (from: number) => shared.subarray(from, from + columns).some((weight) => weight !== 0);
  const distances = parameters.flatMap(({ path, lent, axis, shareFrom: part }) => {
    if (lent === undefined || shareFrom === undefined || !isSome(shareFrom + part)) return [];
    return [{ own: list.position(path, axis), lent: list.position(lent, axis), from: shareFrom + part }];
  });
  if (!isSome(keepFrom)) return { distances, norms: [] };
  // Weight and bias of a part together are a column; W_C has none for its rows.
  const pruned = parameters.filter(({ isInPrunedColumn }) => isInPrunedColumn);
  const norms = [...new Set(pruned.map(({ part }) => part))].map((part) => ({
    parts: pruned
      .filter((parameter) => parameter.part === part)
      .map(({ path, axis }) => list.position(path, axis)),
    from: keepFrom,
  }));
  return { distances, norms };
}
