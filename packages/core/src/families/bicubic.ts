/** Bicubic as in PyTorch: plain (Hugging Face), or with antialiasing (timm, open_clip), which differ when sizes grow, too. */
export type Resampling = 'bicubic' | 'bicubic-antialias';

/** A grid of rows × columns. */
export type Grid = readonly [rows: number, columns: number];

/**
 * Vectors [rows·columns, D], row by row, at another number of rows and columns. Corners are not aligned: cell i of n covers
 * i/n to (i + 1)/n.
 */
export function resampleGrid(
  values: Float32Array,
  { from, to, resampling }: { readonly from: Grid; readonly to: Grid; readonly resampling: Resampling },
): Float32Array<ArrayBuffer> {
  const [rows, columns] = from;
  const D = values.length / (rows * columns);
  const [down, across] = [tapsOf(rows, to[0], resampling), tapsOf(columns, to[1], resampling)];
  const wide = weighted(values, { taps: across, outer: rows, length: columns, inner: D }); // [rows, to columns, D]
  const all = weighted(wide, { taps: down, outer: 1, length: rows, inner: to[1] * D });
  return Float32Array.from(all);
}

/** The entries that one of the result is made of, and their weights. */
type Taps = readonly (readonly [index: number, weight: number])[];

/** [outer, length, inner] → [outer, taps, inner]. */
function weighted(
  values: ArrayLike<number>,
  sizes: { readonly taps: readonly Taps[]; outer: number; length: number; inner: number },
): Float64Array {
  const { taps, outer, length, inner } = sizes;
  const result = new Float64Array(outer * taps.length * inner);
  for (let o = 0; o < outer; o++) {
    taps.forEach((own, index) => {
      const target = (o * taps.length + index) * inner;
      for (const [entry, weight] of own) {
        const source = (o * length + entry) * inner;
        for (let i = 0; i < inner; i++)
          result[target + i] = (result[target + i] ?? 0) + weight * (values[source + i] ?? Number.NaN);
      }
    });
  }
  return result;
}

const tapsOf = (from: number, to: number, resampling: Resampling): Taps[] =>
  Array.from({ length: to }, (_, index) =>
    resampling === 'bicubic' ? sharpTaps(index, from, to) : smoothTaps(index, from, to),
  );

/** Four neighbours, those beyond the border being the border's (PyTorch, `upsample_bicubic2d`). */
function sharpTaps(index: number, from: number, to: number): Taps {
  const place = ((index + 0.5) * from) / to - 0.5;
  const first = Math.floor(place) - 1;
  return [0, 1, 2, 3].map((k) => [
    Math.min(from - 1, Math.max(0, first + k)),
    cubic(place - (first + k), -0.75),
  ]);
}

/** All neighbours that the filter reaches, stretched where sizes shrink (PyTorch, `_upsample_bicubic2d_aa`; Pillow). */
function smoothTaps(index: number, from: number, to: number): Taps {
  const stretch = Math.max(1, from / to);
  const center = ((index + 0.5) * from) / to;
  const first = Math.max(0, Math.trunc(center - 2 * stretch + 0.5));
  const end = Math.min(from, Math.trunc(center + 2 * stretch + 0.5));
  const raw = Array.from({ length: end - first }, (_, k): readonly [number, number] => [
    first + k,
    cubic((first + k - center + 0.5) / stretch, -0.5),
  ]);
  const sum = raw.reduce((total, [, weight]) => total + weight, 0);
  return raw.map(([entry, weight]) => [entry, weight / sum]);
}

/** Keys' cubic convolution kernel (Keys, 1981) with the slope `a` at 1. */
function cubic(distance: number, a: number): number {
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}
