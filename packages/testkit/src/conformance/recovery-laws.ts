import { type Budget, InterruptedError, type RunEvent } from '@winnow/core';
import { SimulatedCrash, crashAfterSaves, memorySnapshotStore } from '../store/memory-store';
import { type Laboratory, type Law, demand, demandSame } from './law';
import { type Outcome, type Subject, compressTiny } from './subject';

const budget: Budget = { unit: 'compressible-parameters', keep: 0.5 };
const mostAttempts = 100;

/** The laws of a run that ends before its time and is run again. */
export function recoveryLaws({ subject, outcomeOf }: Laboratory): Law[] {
  return [
    {
      name: 'killed after every single checkpoint and resumed, it ends in the same bytes',
      check: async () => {
        const expected = await outcomeOf(budget);
        demandSame(await killedAtEverySave(subject), expected, 'killed and resumed');
      },
    },
    {
      name: 'stopped by a signal and resumed, it ends in the same bytes',
      check: async () => {
        const expected = await outcomeOf(budget);
        const steps = expected.result.ledger.reduce((sum, phase) => sum + phase.steps, 0);
        for (const stopAfter of [Math.ceil(steps / 2), steps]) {
          const resumed = await stoppedAndResumed(subject, stopAfter);
          demandSame(resumed, expected, `stopped after ${stopAfter} of ${steps} steps and resumed`);
        }
      },
    },
  ];
}

/** Every attempt dies at its second save, so together they start again from every snapshot there is. */
async function killedAtEverySave(subject: Subject): Promise<Outcome> {
  const store = memorySnapshotStore();
  const onEvent = watchPhases();
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    try {
      return await compressTiny(subject, { budget, store: crashAfterSaves(store, 1), onEvent });
    } catch (error) {
      if (!(error instanceof SimulatedCrash)) throw error;
    }
  }
  demand(false, `after ${mostAttempts} snapshots the run is still not done`);
}

/**
 * Follows a run over its restarts: an unfinished phase goes on from its last checkpoint before anything else, and a
 * finished one never starts again.
 */
function watchPhases(): (event: RunEvent) => void {
  const lengths = new Map<string, number>();
  const reached = new Map<string, number>();
  return (event) => {
    if (event.kind === 'checkpoint') reached.set(event.phase, event.step);
    if (event.kind !== 'phase') return;
    const { phase, steps, from } = event;
    const unfinished = [...lengths].find(
      ([name, length]) => name !== phase && (reached.get(name) ?? 0) < length,
    );
    demand(unfinished === undefined, `phase ${phase} starts while ${String(unfinished?.[0])} is unfinished`);
    const known = reached.get(phase) ?? 0;
    demand(known < steps, `the finished phase ${phase} is run again`);
    demand(from === known, `phase ${phase} goes on from step ${from}, its checkpoint is at ${known}`);
    lengths.set(phase, steps);
  };
}

async function stoppedAndResumed(subject: Subject, stopAfter: number): Promise<Outcome> {
  const store = memorySnapshotStore();
  const stop = new AbortController();
  let steps = 0;
  const onEvent = ({ kind }: RunEvent) => {
    if (kind === 'step') steps += 1;
    if (steps === stopAfter) stop.abort();
  };
  const stopped = await compressTiny(subject, { budget, store, signal: stop.signal, onEvent }).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(stopped instanceof InterruptedError)) {
    demand(stopped === undefined, `stopping led to ${String(stopped)}`);
    demand(false, `the signal after ${stopAfter} steps was ignored`);
  }
  return compressTiny(subject, { budget, store });
}
