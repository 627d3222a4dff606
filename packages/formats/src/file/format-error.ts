/** A file that cannot be used or written as asked: the user's to mend, not a fault in Winnow. */
export class FormatError extends Error {
  /** The code that a command line should exit with: the request cannot be met as given. */
  readonly exitCode = 2;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FormatError';
  }
}

/** The system's short name of what went wrong (`ENOENT`, `ENOSPC`, …), if it is an error of the system. */
export function systemCode(error: unknown): string | undefined {
  // Not `instanceof Error`: the system's errors may come from another realm.
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
