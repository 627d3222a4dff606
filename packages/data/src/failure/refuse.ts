import { DataError } from './data-error';
import { firstTen } from './listing';

/**
 * Refuses entries of a file, if there are any.
 * @param expected All that the file should have of the kind, for the message: 'boxes of images that are listed'.
 * @param faults The entries, as a person finds them.
 * @throws {DataError} that lists the first ten.
 */
export function refuse(
  expected: string,
  path: string,
  faults: readonly string[],
  advice = 'Mend or remove these entries.',
): void {
  if (faults.length === 0) return;
  throw new DataError({
    expected: `${expected} in ${path}`,
    found: `${faults.length} that are not so:${firstTen(faults)}\n`,
    advice,
  });
}
