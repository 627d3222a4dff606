import { FormatError } from '../file/format-error';

/**
 * Checks that weights are numbers.
 * @throws {FormatError} beginning with `place`, when some are NaN or infinite.
 */
export function checkFinite(values: Float32Array, place: string): void {
  // No sum of as many float32 as fit in memory overflows in double precision: it is finite if and only if they all are.
  // (Counting is several times as fast here as walking with `for … of`, and no other loop of a model's reading is as long.)
  let sum = 0;
  let i = values.length;
  while (i-- > 0) sum += values[i] ?? 0;
  if (Number.isFinite(sum)) return;
  const first = values.findIndex((value) => !Number.isFinite(value));
  const count = values.reduce((total, value) => total + (Number.isFinite(value) ? 0 : 1), 0);
  throw new FormatError(
    `${place}: expected finite weights, got ${values[first]} at ${first} (${count} of ${values.length} are not finite): the ` +
      'file is damaged, or comes from a training that diverged; take an earlier one',
  );
}
