import type { Matrix } from './matrix';

/**
 * Adds Σ factor·xᵀx to the lower triangle of a symmetric matrix, in its first `size` rows: four vectors at a time, so that each
 * row comes from memory a quarter as often. The upper triangle stays as it is.
 * @param vectors x, of at least `size` entries each, with as many factors.
 */
export function addOuterProducts(
  { columns: n, values }: Matrix,
  size: number,
  vectors: readonly Float64Array[],
  factors: readonly number[],
): void {
  const none = new Float64Array(size);
  for (let k = 0; k < vectors.length; k += 4) {
    const [x0 = none, x1 = none, x2 = none, x3 = none] = vectors.slice(k, k + 4);
    const [f0 = 0, f1 = 0, f2 = 0, f3 = 0] = factors.slice(k, k + 4);
    for (let i = 0; i < size; i++) {
      const row = i * n;
      const [a, b, c, d] = [f0 * (x0[i] ?? 0), f1 * (x1[i] ?? 0), f2 * (x2[i] ?? 0), f3 * (x3[i] ?? 0)];
      for (let j = 0; j <= i; j++) {
        values[row + j] =
          (values[row + j] ?? 0) + a * (x0[j] ?? 0) + b * (x1[j] ?? 0) + c * (x2[j] ?? 0) + d * (x3[j] ?? 0);
      }
    }
  }
}

/** Copies the lower triangle of a square matrix to its upper one. */
export function mirror({ columns: n, values }: Matrix): void {
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) values[j * n + i] = values[i * n + j] ?? 0;
}
