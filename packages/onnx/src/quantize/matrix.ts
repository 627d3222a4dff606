import type { HostTensor } from '@winnow/core';

/** A matrix in whole numbers from −127 to 127, with a scale for each of its columns. */
export interface QuantizedMatrix {
  readonly values: Int8Array;
  /** [columns]; an entry stands for its whole number times that of its column. */
  readonly scales: Float32Array;
}

const GREATEST = 127;
/** Below it steps would be too small for float32. */
const NOTHING = 1e-30;

/** The greatest entry of each column, whatever its sign. @param values [rows, columns], row by row. */
export function greatestInColumns(values: ArrayLike<number>, columns: number): Float32Array {
  const greatest = new Float32Array(columns);
  for (let at = 0; at < values.length; at++) {
    const column = at % columns;
    greatest[column] = Math.max(greatest[column] ?? 0, Math.abs(values[at] ?? 0));
  }
  return greatest;
}

/**
 * The greatest entry of each column over several matrices of as many columns: whole numbers of their rows have one scale then, and rows of all
 * of them may stand in one matrix.
 * @param read Fetches a matrix by its path.
 */
export async function greatestTogether(
  paths: readonly string[],
  read: (path: string) => Promise<HostTensor>,
): Promise<Float32Array> {
  let together = new Float32Array();
  for (const path of paths) {
    const { values, shape } = await read(path);
    const own = greatestInColumns(values, shape[1] ?? 1);
    together = own.map((most, column) => Math.max(most, together[column] ?? 0));
  }
  return together;
}

/**
 * Symmetric, a scale for each output: the greatest entry of a column becomes ±127 (Jacob et al., 2018; Krishnamoorthi, 2018,
 * Section 3.1). A column of nothing but zeros, or of numbers
 * that hardly differ from them, has the scale 1.
 * @param values [rows, columns], row by row.
 * @param greatest Of each column, where other rows than these have the same scales; by default that of `values`.
 */
export function quantizeColumns(
  values: ArrayLike<number>,
  columns: number,
  greatest: Float32Array = greatestInColumns(values, columns),
): QuantizedMatrix {
  const scales = greatest.map((most) => (most < NOTHING ? 1 : most / GREATEST));
  const whole = Int8Array.from({ length: values.length }, (_, at) =>
    Math.max(-GREATEST, Math.min(GREATEST, Math.round((values[at] ?? 0) / (scales[at % columns] ?? 1)))),
  );
  return { values: whole, scales };
}

/**
 * Tells what rounding takes from each output on average, for inputs of these means (Nagel et al., 2019, Data-Free Quantization, Eq. 16):
 * Σ over the inputs of mean · (W − Ŵ).
 */
export function biasCorrection(
  values: ArrayLike<number>,
  { values: whole, scales }: { readonly values: ArrayLike<number>; readonly scales: Float32Array },
  means: ArrayLike<number>,
): Float32Array {
  const columns = scales.length;
  const lost = new Float64Array(columns);
  for (let at = 0; at < values.length; at++) {
    const column = at % columns;
    const error = (values[at] ?? 0) - (whole[at] ?? 0) * (scales[column] ?? 0);
    lost[column] = (lost[column] ?? 0) + (means[Math.floor(at / columns)] ?? 0) * error;
  }
  return Float32Array.from(lost);
}
