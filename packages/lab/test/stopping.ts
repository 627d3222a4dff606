import type { Progress } from '../src/index';

/** Progress that nobody sees. */
export const silent = {
  note: () => undefined,
  phase: () => undefined,
  step: () => undefined,
  close: () => undefined,
};

/** Stops a run once a phase has taken a step. */
export function stoppedAt(where: { readonly phase: string; readonly step: number }) {
  const stopping = new AbortController();
  let phase = '';
  const progress: Progress = {
    ...silent,
    phase: (event) => {
      ({ phase } = event);
    },
    step: ({ step }) => {
      if (phase === where.phase && step === where.step) stopping.abort();
    },
  };
  return { progress, signal: stopping.signal };
}
