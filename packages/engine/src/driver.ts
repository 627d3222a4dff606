/** Whether an engine can be started here, and if not, why, in words for the user. */
export type Availability =
  { readonly available: true } | { readonly available: false; readonly reason: string };

/** What it takes to add an engine: a file that exports one of these, and a line in engines.ts. */
export interface EngineDriver {
  /** A cheap look, without loading native code. */
  availability(): Promise<Availability>;
  /**
   * Loads the backend and makes it current in tfjs-core.
   * @returns one line about what runs.
   * @throws {Error} if it does not load.
   */
  start(): Promise<string>;
}

export class EngineUnavailableError extends Error {
  override readonly name = 'EngineUnavailableError';
  /** A request that cannot be met here: the user's to change. */
  readonly exitCode = 2;
}
