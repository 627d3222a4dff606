import { type Tensor, type Tensor1D, mul, ones, slice, sub } from '@tensorflow/tfjs-core';
import type { Pairing, SubLayer } from './pairing';

/** Learned choices of one sub-layer: 1 own or keep, 0 shared or pruned. */
export type SubLayerVectors = {
  /** s or st: of attention for the columns of q, k and v one after the other, [3·H·d]; of FFN for the hidden units. */
  share: Tensor1D;
  /** m: of attention for the columns of q and k together, [H·d]; of FFN for the hidden units. */
  keep: Tensor1D;
};

/** The choices of all sub-layers, by their ids. */
export type Structure = Record<string, SubLayerVectors>;

/** Numbers of entries of a sub-layer's vectors. */
export const vectorSizes = ({ structure, columns }: SubLayer): { share: number; keep: number } => ({
  share: structure === 'attention' ? 3 * columns : columns,
  keep: columns,
});

/** Everything its own, nothing pruned. */
export function wholeStructure({ subLayers }: Pairing): Structure {
  return Object.fromEntries(
    subLayers.map((subLayer): [string, SubLayerVectors] => {
      const { share, keep } = vectorSizes(subLayer);
      return [subLayer.id, { share: ones([share]), keep: ones([keep]) }];
    }),
  );
}

/** The part of attention's sharing vector that is about q (0), k (1) or v (2), [H·d]. */
export const sharePart = (share: Tensor1D, { columns }: SubLayer, part: 0 | 1 | 2): Tensor1D =>
  slice(share, part * columns, columns);

/** a: 1 where nothing of a unit that could be pruned is borrowed; of attention, neither its q nor its k. [H·d] */
function ownUnits({ share }: SubLayerVectors, subLayer: SubLayer): Tensor1D {
  if (subLayer.structure === 'ffn') return share;
  return mul(sharePart(share, subLayer, 0), sharePart(share, subLayer, 1));
}

const complement = <T extends Tensor>(x: T): T => sub<T>(1, x);

/**
 * Sharing wins over pruning (Eq. 6, 7): a unit that is borrowed, or lends, is not pruned, whatever `keep` says:
 * m ← 1 − (1 − m)·Π a over all that share the unit. Differentiable in both vectors.
 */
export function resolveConflicts(structure: Structure, pairing: Pairing): Structure {
  const vectorsOf = (id: string): SubLayerVectors => {
    const found = structure[id];
    if (found === undefined) throw new RangeError(`there are no vectors for ${id}`);
    return found;
  };
  const own = new Map(
    pairing.subLayers.map((subLayer) => [subLayer.id, ownUnits(vectorsOf(subLayer.id), subLayer)]),
  );
  return Object.fromEntries(
    pairing.subLayers.map(({ id, lender }): [string, SubLayerVectors] => {
      const { share, keep } = vectorsOf(id);
      // Who borrows from it, and itself where it borrows.
      const sharers = pairing.subLayers.filter((other) => other.lender === id).map((other) => other.id);
      const factors = [...(lender === undefined ? [] : [id]), ...sharers].flatMap(
        (sharer) => own.get(sharer) ?? [],
      );
      if (factors.length === 0) return [id, { share, keep }];
      const pruned = factors.reduce<Tensor1D>((product, factor) => mul(product, factor), complement(keep));
      return [id, { share, keep: complement(pruned) }];
    }),
  );
}
