import { type Budget, InterruptedError, type RunEvent, type SnapshotStore } from '@winnow/core';
import { isDeepStrictEqual } from 'node:util';
import { SimulatedCrash, crashAfterSave, crashAfterSaves, memorySnapshotStore } from '../store/memory-store';
import { type Laboratory, type Law, demand, demandSame } from './law';
import { runLog } from './run-log';
import { type Outcome, type Subject, type Trial, compressTiny } from './subject';

const budget: Budget = { unit: 'compressible-parameters', keep: 0.5 };
const mostAttempts = 100;

/** The laws of a run that ends before its time and is run again. */
export function recoveryLaws({ subject, outcomeOf }: Laboratory): Law[] {
  return [
    {
      name: 'killed after every single checkpoint and resumed, it ends in the same bytes',
      check: async () => {
        const expected = await outcomeOf(budget);
        const killed = await killedAtEverySave(subject);
        demandSame(killed, expected, 'killed and resumed');
        const lost = expected.log.find((line) => !killed.log.includes(line));
        demand(lost === undefined, `killed and resumed, it never tells of ${String(lost)}`);
        demand(
          isDeepStrictEqual(killed.log, expected.log),
          'killed and resumed, it tells of something twice',
        );
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

/**
 * Attempts die in turn right after their first save and right before their second, so together they start again from
 * every snapshot there is. The outcome's log is that of all of them.
 */
export async function killedAtEverySave(
  subject: Subject,
  trial: Pick<Trial, 'reconstruct'> = {},
): Promise<Outcome> {
  const reached = new Map<string, number>();
  const store = notingSteps(memorySnapshotStore(), reached);
  const watch = watchPhases(reached);
  const log = runLog();
  const onEvent = (event: RunEvent) => {
    watch(event);
    log.note(event);
  };
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    try {
      const mortal = attempt % 2 === 0 ? crashAfterSave(store) : crashAfterSaves(store, 1);
      const outcome = await compressTiny(subject, { ...trial, budget, store: mortal, onEvent });
      return { ...outcome, log: log.lines() };
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
function watchPhases(reached: ReadonlyMap<string, number>): (event: RunEvent) => void {
  const lengths = new Map<string, number>();
  return (event) => {
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

/** The same store, which notes the step at which each phase was saved last. */
const notingSteps = (store: SnapshotStore, reached: Map<string, number>): SnapshotStore => ({
  ...store,
  save: async (name, snapshot) => {
    await store.save(name, snapshot);
    const { meta } = snapshot;
    if (typeof meta === 'object' && meta !== null && 'step' in meta && typeof meta.step === 'number')
      reached.set(name.replace(/^phase-/, ''), meta.step);
  },
});

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
