import type { Answers } from './job';

/** Numbers of an answer to one example that are compared, at most. */
const MOST = 2 ** 20;

/**
 * Answers of which no more than a million numbers for each example are left, evenly spread: every pixel of a large picture tells hundreds
 * of classes apart, and a process hands on what it has found.
 * @param count Of the examples.
 */
export const thinned = (answers: Answers, count: number): Answers =>
  Object.fromEntries(Object.entries(answers).map(([name, values]) => [name, everySo(values, count)]));

function everySo(values: Float32Array, count: number): Float32Array {
  const size = values.length / count;
  const stride = Math.ceil(size / MOST) | 1; // odd, so that it goes through all classes of a power of two
  if (stride === 1) return values;
  const kept = Math.ceil(size / stride);
  return Float32Array.from({ length: count * kept }, (_, at) => {
    const example = Math.floor(at / kept);
    return values[example * size + (at % kept) * stride] ?? Number.NaN;
  });
}
