import { DataError } from '../../src/failure/data-error';

/** Gives the message that a promise fails with, which must be of a mistake in the data. */
export async function failureOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof DataError) return error.message;
  throw new Error(`expected a DataError, got ${String(error)}`);
}

/** Does something without the rights of the superuser, who may read everything. */
export async function asNobody<Result>(work: () => Promise<Result>): Promise<Result> {
  const isSuperuser = process.geteuid?.() === 0;
  if (isSuperuser) process.seteuid?.(65534);
  try {
    return await work();
  } finally {
    if (isSuperuser) process.seteuid?.(0);
  }
}
