import { type ColumnParameter, columnParameters } from './columns';
import { type Pairing, type SubLayer, prunedKinds } from './pairing';

/** Where the entries of one sub-layer lie in the vector of a structure. */
export interface Place {
  readonly subLayer: SubLayer;
  /** The first entry of s or st; without a lender there are none. */
  readonly shareFrom: number | undefined;
  /** The first entry of m. */
  readonly keepFrom: number;
  /** The first entries of s or st of who shares units with it: of those that borrow from it, and its own. */
  readonly sharers: readonly number[];
  /** The positions of the kinds of columns that pruning takes away. */
  readonly pruned: readonly number[];
  readonly parameters: readonly ColumnParameter[];
}

/** All choices of a structure as one vector: of every sub-layer what may be shared, then what is kept. */
export interface Layout {
  /** N: number of entries. */
  readonly size: number;
  /** In the pairing's order. */
  readonly places: readonly Place[];
}

/** Numbers of entries of a sub-layer's vectors. */
export const vectorSizes = ({ kinds, columns }: SubLayer): { share: number; keep: number } => ({
  share: kinds.length * columns,
  keep: columns,
});

/** Numbers of entries that a sub-layer has in the vector. */
export const entriesOfSubLayer = (subLayer: SubLayer): number => {
  const { share, keep } = vectorSizes(subLayer);
  return subLayer.lender === undefined ? keep : share + keep;
};

export function layoutOf(pairing: Pairing): Layout {
  const { subLayers } = pairing;
  let size = 0;
  const placed = subLayers.map((subLayer) => {
    const from = size;
    size += entriesOfSubLayer(subLayer);
    const isBorrower = subLayer.lender !== undefined;
    return {
      subLayer,
      shareFrom: isBorrower ? from : undefined,
      keepFrom: size - subLayer.columns,
      pruned: prunedKinds(subLayer),
      parameters: columnParameters(subLayer, pairing),
    };
  });
  const places = placed.map((place) => ({
    ...place,
    sharers: placed.flatMap(({ subLayer, shareFrom }) =>
      shareFrom !== undefined && (subLayer.lender === place.subLayer.id || subLayer === place.subLayer)
        ? [shareFrom]
        : [],
    ),
  }));
  return { size, places };
}

/** Something for each entry of a structure's vectors, by sub-layer. */
export type BySubLayer<Values> = Readonly<Record<string, { readonly share: Values; readonly keep: Values }>>;

/** A vector by sub-layers; where nobody lends, `own` stands for every entry of s. */
export function bySubLayer(vector: Float32Array, { places }: Layout, own: number): BySubLayer<Float32Array> {
  return Object.fromEntries(
    places.map(({ subLayer, shareFrom, keepFrom }) => {
      const { share, keep } = vectorSizes(subLayer);
      return [
        subLayer.id,
        {
          share:
            shareFrom === undefined
              ? new Float32Array(share).fill(own)
              : vector.slice(shareFrom, shareFrom + share),
          keep: vector.slice(keepFrom, keepFrom + keep),
        },
      ];
    }),
  );
}

/**
 * The inverse of `bySubLayer`.
 * @throws {RangeError} when a sub-layer has no vectors.
 */
export function asVector(values: BySubLayer<ArrayLike<number>>, { size, places }: Layout): Float32Array {
  const vector = new Float32Array(size);
  for (const { subLayer, shareFrom, keepFrom } of places) {
    const found = values[subLayer.id];
    if (found === undefined) throw new RangeError(`there are no vectors for ${subLayer.id}`);
    if (shareFrom !== undefined) vector.set(found.share, shareFrom);
    vector.set(found.keep, keepFrom);
  }
  return vector;
}
