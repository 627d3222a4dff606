import { DataError } from '../failure/data-error';
import { firstTen } from '../failure/listing';

/**
 * Waits for all loads: those that failed are to be named together.
 * @throws what a load failed with, unless it is a {@link DataError}.
 */
export async function allOf<Value>(
  loads: readonly Promise<Value>[],
): Promise<{ readonly values: Value[]; readonly problems: DataError[] }> {
  const values: Value[] = [];
  const problems: DataError[] = [];
  for (const outcome of await Promise.allSettled(loads)) {
    if (outcome.status === 'fulfilled') values.push(outcome.value);
    else if (outcome.reason instanceof DataError) problems.push(outcome.reason);
    else throw outcome.reason;
  }
  return { values, problems };
}

/** @throws {DataError} that lists the first ten of several problems with pictures, if there are any. */
export function refuseBroken(problems: readonly DataError[]): void {
  const messages = [...new Set(problems.map(({ message }) => message))];
  const [first] = problems;
  if (first === undefined) return;
  if (messages.length === 1) throw first;
  throw new DataError(
    {
      expected: 'complete pictures',
      found: `${messages.length} files that cannot be used:${firstTen(messages)}\n`,
      advice: 'Replace them, save them anew, or remove them.',
    },
    { cause: first },
  );
}
