/** The state of a list of jobs. */
export interface JobCount {
  readonly done: number;
  readonly failed: number;
  readonly all: number;
}

/** Shows how far jobs are, and when they may be through. */
export interface JobProgress {
  /** One more has ended. */
  ended(count: JobCount, text: string): void;
  close(): void;
}
