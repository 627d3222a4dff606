import { type Tensor, concat, gather, tensor1d, zeros } from '@tensorflow/tfjs-core';
import { differentiable, hasKernel } from './kernel';
import { runListKernel } from './list-kernel';

const KERNEL = 'WinnowAssembleColumns';

/** Where the columns of an assembled parameter come from; made once, as every step asks for it. */
export interface ColumnOrigins {
  /** For each column its place among all columns of the sources, side by side; −1 for a column of zeros. */
  readonly places: readonly number[];
  /** For each source and each of its columns the column that it became; −1 where it is not used. */
  readonly uses: readonly (readonly number[])[];
  /** Whether the only source is the parameter itself. */
  readonly isWhole: boolean;
}

/**
 * @param places For each column its place among all columns of the sources; −1 for a column of zeros. No place comes twice.
 * @param counts Columns of each source.
 */
export function columnOrigins(places: readonly number[], counts: readonly number[]): ColumnOrigins {
  const columnAt = new Map(places.map((place, column) => [place, column]));
  let first = 0;
  const uses = counts.map((count) => {
    const used = Array.from({ length: count }, (_, column) => columnAt.get(first + column) ?? -1);
    first += count;
    return used;
  });
  const isWhole =
    counts.length === 1 && places.length === first && places.every((place, column) => place === column);
  return { places, uses, isWhole };
}

/**
 * A parameter put together from columns of others: sources [·, nᵢ] (axis 1), or [nᵢ, ·] and [nᵢ] (axis 0) → the same
 * with one column per place. A source's column is used once at most; its gradient is that of its use.
 */
export function assembleColumns(
  sources: readonly Tensor[],
  { places, uses, isWhole }: ColumnOrigins,
  axis: 0 | 1,
): Tensor {
  const [only] = sources;
  if (isWhole && only !== undefined) return only;
  if (hasKernel(KERNEL)) {
    const counts = uses.map(({ length }) => length);
    // Where columns go is all that the gradient has to know: no tensor is kept for it.
    const [whole] = runListKernel<[Tensor]>(
      KERNEL,
      sources,
      { places: [...places], counts, axis },
      { saved: [] },
    );
    return whole;
  }
  return differentiable(
    sources,
    () => ({ value: pick(sources, places, axis), saved: [] }),
    (dy) => uses.map((columns) => pick([dy], columns, axis)),
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
  const indices = hasBlank ? places.map((place) => (place < 0 ? total : place)) : [...places];
  return gather(joined, tensor1d(indices, 'int32'), axis);
}
