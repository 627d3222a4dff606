import type { RunEvent } from '@winnow/core';
import { throughput } from './throughput';

/** A training step, with how fast it goes. */
export interface Pace {
  readonly imagesPerSecond: number;
  readonly remainingSeconds: number;
}

/** Shows a person how a run goes on. */
export interface Progress {
  /** A line that stays. */
  note(line: string): void;
  phase(event: Extract<RunEvent, { kind: 'phase' }>): void;
  step(event: Extract<RunEvent, { kind: 'step' }>, pace: Pace): void;
  close(): void;
}

/** Takes note of a run's events, with the throughput worked out for steps. */
export type EventLog = (event: RunEvent, imagesPerSecond: number) => void;

/** Passes a run's events on to the eye and to a log. */
export function eventSink(progress: Progress, log: EventLog): (event: RunEvent) => void {
  const rate = throughput();
  return (event) => {
    if (event.kind !== 'step') rate.start();
    const imagesPerSecond = event.kind === 'step' ? rate.step(event.examples) : 0;
    log(event, imagesPerSecond);
    switch (event.kind) {
      case 'phase':
        progress.phase(event);
        break;
      case 'step': {
        const { step, steps, examples } = event;
        progress.step(event, {
          imagesPerSecond,
          remainingSeconds: ((steps - step) * examples) / imagesPerSecond,
        });
        break;
      }
      case 'scores': {
        const shown = Object.entries(event.scores).map(([name, value]) => `${name} ${value.toFixed(2)}`);
        const after = event.step === 0 ? '' : ` after step ${event.step}`;
        progress.note(`${event.phase}${after}: ${shown.join(', ')}`);
        break;
      }
      case 'note':
        progress.note(event.text);
        break;
      case 'scoring':
      case 'checkpoint':
        break;
      default:
        event satisfies never;
    }
  };
}
