/** The user's mistake: the message says what was expected, what came and what to do. The CLI exits with `exitCode`. */
export class UserError extends Error {
  readonly exitCode = 2;

  constructor(message: string) {
    super(message);
    this.name = 'UserError';
  }
}

/** The run was asked to stop; everything up to here is saved and `--resume` goes on from it. */
export class InterruptedError extends Error {
  readonly exitCode = 130;

  constructor() {
    super('stopped on request');
    this.name = 'InterruptedError';
  }
}
