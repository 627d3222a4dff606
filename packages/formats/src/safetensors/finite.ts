import { areFinite } from '@winnow/core';
import { FormatError } from '../file/format-error';

/**
 * Checks that weights are numbers.
 * @throws {FormatError} beginning with `place`, when some are NaN or infinite.
 */
export function checkFinite(values: Float32Array, place: string): void {
  if (areFinite(values)) return;
  const first = values.findIndex((value) => !Number.isFinite(value));
  const count = values.reduce((total, value) => total + (Number.isFinite(value) ? 0 : 1), 0);
  throw new FormatError(
    `${place}: expected finite weights, got ${values[first]} at ${first} (${count} of ${values.length} are not finite): the ` +
      'file is damaged, or comes from a training that diverged; take an earlier one',
  );
}
