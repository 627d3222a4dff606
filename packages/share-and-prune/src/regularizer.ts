import {
  type Scalar,
  type Tensor,
  type Tensor1D,
  abs,
  add,
  mul,
  reshape,
  scalar,
  slice,
  sqrt,
  square,
  sub,
  sum,
} from '@tensorflow/tfjs-core';
import { type TensorTree, entriesOf } from '@winnow/core';
import { columnParameters } from './columns';
import type { Pairing, SubLayer } from './pairing';
import type { Structure } from './structure';

/** Inside the root of the group lasso: its gradient exists at a column of zeros. */
const EPSILON = 1e-12;

/**
 * R_w, which pulls the weights towards the structure: the ℓ₁ distance of every borrowed column to the lender's, and the
 * ℓ₂ norm of every pruned column (of FFN, of the column of W_E and of the row of W_C). On the dense weights; both sides
 * of a distance get gradients. Vision is pulled towards the text column of its layer, as it stands. The bias of a
 * column counts as one more entry of it, as it is shared and pruned with it.
 */
export function alignment(weights: TensorTree, structure: Structure, { subLayers }: Pairing): Scalar {
  const tensors = new Map<string, Tensor>(entriesOf<Tensor>(weights));
  return subLayers
    .flatMap((subLayer) => subLayerTerms(tensors, structure, subLayer))
    .reduce((total, term) => add(total, term), scalar(0));
}

function subLayerTerms(
  tensors: ReadonlyMap<string, Tensor>,
  structure: Structure,
  subLayer: SubLayer,
): Scalar[] {
  const vectors = structure[subLayer.id];
  if (vectors === undefined) throw new RangeError(`there are no vectors for ${subLayer.id}`);
  const parameters = columnParameters(subLayer);
  const distances = parameters.flatMap(({ path, lent, axis, shareFrom }) => {
    if (lent === undefined) return [];
    const borrowed: Tensor1D = sub(1, slice(vectors.share, shareFrom, subLayer.columns));
    return [weighted(overColumns(abs(sub(at(tensors, path), at(tensors, lent))), axis), borrowed)];
  });
  const pruned: Tensor1D = sub(1, vectors.keep);
  // Weight and bias of a layer together are a column; W_C has none for its rows.
  const names = subLayer.structure === 'ffn' ? ['expand', 'contract'] : ['query', 'key'];
  const norms = names.map((name) => {
    const squares = parameters
      .filter(({ path }) => path.startsWith(`${subLayer.id}.${name}.`))
      .map(({ path, axis }) => overColumns(square(at(tensors, path)), axis))
      .reduce((total, each) => add<Tensor1D>(total, each));
    return weighted(sqrt(add<Tensor1D>(squares, EPSILON)), pruned);
  });
  return [...distances, ...norms];
}

/** Sums of what lies in each column, [columns]. */
const overColumns = (x: Tensor, axis: 0 | 1): Tensor1D =>
  x.rank === 1 ? reshape(x, [-1]) : sum(x, axis === 1 ? 0 : 1);

const weighted = (values: Tensor1D, weights: Tensor1D): Scalar => sum(mul(values, weights));

function at(tensors: ReadonlyMap<string, Tensor>, path: string): Tensor {
  const found = tensors.get(path);
  if (found === undefined) throw new RangeError(`there is no parameter ${path}`);
  return found;
}
