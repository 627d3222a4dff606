import { DataError } from '../../src/failure/data-error';

/** What a promise fails with, which must be a mistake in the data. */
export async function failureOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof DataError) return error.message;
  throw new Error(`expected a DataError, got ${String(error)}`);
}
