export interface DataProblem {
  /** The expected thing: 'a folder of class folders at data/train'. */
  readonly expected: string;
  /** The thing that was found instead. */
  readonly found: string;
  /** Advice on what to do about it, as a sentence. */
  readonly advice: string;
}

/** Something is wrong with the user's data, not with the program. */
export class DataError extends Error {
  /** The process exit status for a mistake in what the user gave. */
  readonly exitCode = 2;
  override readonly name = 'DataError';

  constructor(
    /** The parts of the message. */
    readonly problem: DataProblem,
    options?: ErrorOptions,
  ) {
    const { expected, found, advice } = problem;
    // A list ends its line itself.
    super(`expected ${expected}, but found ${found}${found.endsWith('\n') ? '' : '. '}${advice}`, options);
  }
}
