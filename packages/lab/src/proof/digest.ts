import { createHash } from 'node:crypto';
import type { Examples } from '@winnow/onnx';

/** SHA-256 of numbers, one list after the other. */
export function digestOfNumbers(all: readonly (Float32Array | BigInt64Array)[]): string {
  const hash = createHash('sha256');
  for (const values of all) hash.update(values);
  return hash.digest('hex');
}

/** SHA-256 of all numbers of examples. */
export const digestOfExamples = (...all: readonly Examples[]): string =>
  digestOfNumbers(all.flatMap(({ inputs }) => Object.values(inputs).map(({ values }) => values)));
