/** A square of this side, read and written, stays in the first cache. */
const TILE = 32;

/**
 * Row-major values of this shape → row-major values with the axes in another order: result axis i is axis `axes[i]`. The
 * values themselves, where the order is theirs.
 */
export function permuteAxes(
  values: Float32Array,
  shape: readonly number[],
  axes: readonly number[],
): Float32Array {
  if (axes.every((axis, i) => axis === i)) return values;
  const result = new Float32Array(values.length);
  const strides = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, extent) => product * extent, 1),
  );
  const ordered = axes.map((axis) => ({ extent: shape[axis] ?? 1, stride: strides[axis] ?? 1 }));
  const [columns = { extent: 1, stride: 1 }, rows = { extent: 1, stride: 1 }] = ordered.slice(-2).reverse();
  const planeSize = rows.extent * columns.extent;
  let written = 0;
  const walk = (depth: number, offset: number): void => {
    const axis = ordered.length - depth > 2 ? ordered[depth] : undefined;
    if (axis === undefined) {
      copyPlane(values, result, { from: offset, to: written, rows, columns });
      written += planeSize;
    } else {
      for (let i = 0; i < axis.extent; i++) walk(depth + 1, offset + i * axis.stride);
    }
  };
  walk(0, 0);
  return result;
}

interface Axis {
  readonly extent: number;
  /** In the values that are read. */
  readonly stride: number;
}

/** The last two axes of the result. Row by row, the large strides of a transposition would miss the cache each time. */
function copyPlane(
  values: Float32Array,
  result: Float32Array,
  { from, to, rows, columns }: { from: number; to: number; rows: Axis; columns: Axis },
): void {
  for (let top = 0; top < rows.extent; top += TILE) {
    const bottom = Math.min(top + TILE, rows.extent);
    for (let left = 0; left < columns.extent; left += TILE) {
      const right = Math.min(left + TILE, columns.extent);
      for (let row = top; row < bottom; row++) {
        let source = from + row * rows.stride + left * columns.stride;
        const target = to + row * columns.extent;
        for (let column = left; column < right; column++) {
          result[target + column] = values[source] ?? 0;
          source += columns.stride;
        }
      }
    }
  }
}
