/** Row-major values of this shape → row-major values with the axes in another order: result axis i is axis `axes[i]`. */
export function permuteAxes(
  values: Float32Array,
  shape: readonly number[],
  axes: readonly number[],
): Float32Array {
  if (axes.every((axis, i) => axis === i)) return values.slice();
  const result = new Float32Array(values.length);
  const strides = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, extent) => product * extent, 1),
  );
  let written = 0;
  const walk = (depth: number, offset: number): void => {
    const axis = axes[depth] ?? 0;
    const extent = shape[axis] ?? 1;
    const stride = strides[axis] ?? 1;
    if (depth === axes.length - 1) {
      for (let i = 0; i < extent; i++) result[written++] = values[offset + i * stride] ?? 0;
    } else {
      for (let i = 0; i < extent; i++) walk(depth + 1, offset + i * stride);
    }
  };
  walk(0, 0);
  return result;
}
