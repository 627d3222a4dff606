import type { RunEvent } from '@winnow/core';

/** The steps and scores of a run, as a file of measurements keeps them. */
export interface RunLog {
  note(event: RunEvent): void;
  /** One line for each step and each scoring, in the order in which they came. */
  lines(): string[];
}

/** Keeps a log over the restarts of a run: a part that begins again replaces what was noted of it. */
export function runLog(): RunLog {
  let kept: { readonly phase: string; readonly step: number; readonly text: string }[] = [];
  const forget = (phase: string, after: number) =>
    (kept = kept.filter((line) => line.phase !== phase || line.step <= after));
  return {
    note: (event) => {
      switch (event.kind) {
        case 'phase':
          forget(event.phase, event.from);
          break;
        case 'scoring':
          forget(event.phase, -1);
          break;
        case 'step':
        case 'scores':
          kept.push({ phase: event.phase, step: event.step, text: JSON.stringify(event) });
          break;
        case 'checkpoint':
        case 'note':
          break;
        default:
          event satisfies never;
      }
    },
    lines: () => kept.map(({ text }) => text),
  };
}
