import { DataError } from '../failure/data-error';

/**
 * Refuses splits without an example, which nothing can be learned from or scored on.
 * @param expected What each split should have, for the message: 'pictures'.
 * @param source What they were read from.
 * @throws {DataError} that names them.
 */
export function refuseEmptySplits(
  splits: Readonly<Record<string, { readonly length: number }>>,
  expected: string,
  source: string,
): void {
  const empty = Object.entries(splits).flatMap(([name, { length }]) => (length === 0 ? [name] : []));
  if (empty.length === 0) return;
  throw new DataError({
    expected: `${expected} for training, validation and test in ${source}`,
    found: `none for ${empty.join(' and ')}`,
    advice: 'Put more there, or divide them otherwise.',
  });
}
