import { type Tensor, concat, gather, tensor1d, zeros } from '@tensorflow/tfjs-core';
import { differentiable } from './kernel';

/** Where the columns of an assembled parameter come from. */
export interface ColumnOrigins {
  /** For each column its place among all columns of the sources, side by side; −1 for a column of zeros. */
  readonly places: readonly number[];
  /** Columns of each source. */
  readonly counts: readonly number[];
}

/**
 * A parameter put together from columns of others: sources [·, nᵢ] (axis 1), or [nᵢ, ·] and [nᵢ] (axis 0) → the same
 * with one column per place. A source's column is used once at most; its gradient is that of its use.
 */
export function assembleColumns(
  sources: readonly Tensor[],
  { places, counts }: ColumnOrigins,
  axis: 0 | 1,
): Tensor {
  const isWhole =
    sources.length === 1 && places.length === counts[0] && places.every((place, column) => place === column);
  const [only] = sources;
  if (isWhole && only !== undefined) return only;
  return differentiable(
    sources,
    () => ({ value: pick(sources, places, axis), saved: [] }),
    (dy) => {
      const columnOf = new Map(places.map((place, column) => [place, column]));
      let first = 0;
      return counts.map((count) => {
        const used = Array.from({ length: count }, (_, column) => columnOf.get(first + column) ?? -1);
        first += count;
        return pick([dy], used, axis);
      });
    },
  );
}

/** Columns by their places among all columns of the tensors; zeros at −1. */
function pick(tensors: readonly Tensor[], places: readonly number[], axis: 0 | 1): Tensor {
  const [like] = tensors;
  if (like === undefined) throw new RangeError('expected at least one tensor to take columns of');
  const total = tensors.reduce((sum, { shape }) => sum + (shape[axis] ?? 0), 0);
  const hasBlank = places.includes(-1);
  const blankShape = like.shape.map((extent, at) => (at === axis ? 1 : extent));
  const all = [...tensors, ...(hasBlank ? [zeros(blankShape)] : [])];
  const joined = all.length === 1 ? like : concat(all, axis);
  return gather(
    joined,
    tensor1d(
      places.map((place) => (place < 0 ? total : place)),
      'int32',
    ),
    axis,
  );
}
