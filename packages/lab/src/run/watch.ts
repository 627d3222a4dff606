import type { Progress } from '../progress/progress';

/** Whoever looks on while a run is made, and may stop it. */
export interface RunWatch {
  readonly progress: Progress;
  /** Aborted when the run is to stop: it saves, and can go on later. */
  readonly signal: AbortSignal;
}

/** Nobody looks on, and nobody stops. */
export const unwatched = (signal: AbortSignal = new AbortController().signal): RunWatch => ({
  progress: {
    note: () => undefined,
    phase: () => undefined,
    step: () => undefined,
    close: () => undefined,
  },
  signal,
});
