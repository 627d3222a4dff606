import type { EngineOptions, EngineSettings } from './options';

/** Whether an engine can be started here, and if not, why, in words for the user. */
export type Availability =
  { readonly available: true } | { readonly available: false; readonly reason: string };

export interface RunningEngine extends EngineSettings {
  /** One line about what runs. */
  readonly description: string;
}

/** The driver of an engine. Adding an engine takes a file that exports one of these, and a line in engines.ts. */
export interface EngineDriver {
  /** A cheap look, without loading native code: is it here, and does it know how to do what is asked? */
  availability(options: EngineOptions): Promise<Availability>;
  /**
   * Loads the backend and makes it current in tfjs-core.
   * @throws {Error} if it does not load or cannot do what is asked.
   */
  start(options: EngineOptions): Promise<RunningEngine>;
}

export class EngineUnavailableError extends Error {
  override readonly name = 'EngineUnavailableError';
  /** A request that cannot be met here: the user's to change. */
  readonly exitCode = 2;
}
