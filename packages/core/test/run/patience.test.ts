import { memory } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type HostTensors,
  type Runner,
  type SnapshotStore,
  adamw,
  constant,
  disposeTree,
  downloadTree,
  runPhase,
  trainingBatches,
  weightAverage,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { type Line, flatLine, points, regression } from '../train/regression';

/** Snapshots in memory, until so many have been saved: the next save kills the run. */
function killedAfter(store: Map<string, Parameters<SnapshotStore['save']>[1]>, saves: number): SnapshotStore {
  let left = saves;
  return {
    load: (name) => Promise.resolve(structuredClone(store.get(name))),
    save: (name, snapshot) => {
      if (left-- === 0) return Promise.reject(new Error('killed'));
      store.set(name, structuredClone(snapshot));
      return Promise.resolve();
    },
    remove: () => Promise.reject(new Error('nothing is removed')),
  };
}

interface Request {
  /** Validation scores, by evaluation. */
  readonly scores: readonly number[];
  readonly evaluations: number;
  readonly averaged?: boolean;
}

/** Evaluates after every second step; twice as many steps as scores. */
async function run(store: SnapshotStore, { scores, evaluations, averaged = false }: Request) {
  const runner: Runner = { store, checkpointEvery: 3, report: () => undefined };
  const at = scores.map((_, index) => 2 * (index + 1));
  const line = flatLine();
  const { state, afterStep } = weightAverage(line, 0.9);
  let evaluated = 0;
  const known = (await store.load('phase-fit'))?.meta;
  if (typeof known === 'object' && known !== null && 'milestones' in known && Array.isArray(known.milestones))
    evaluated = known.milestones.length;
  const milestones = {
    at,
    score: () => Promise.resolve({ accuracy: scores[evaluated++] ?? Number.NaN }),
    ...(evaluations === 0 ? {} : { patience: { metric: 'accuracy', evaluations } }),
  };
  try {
    const result = await runPhase(
      runner,
      'fit',
      {
        params: line,
        state,
        afterStep,
        task: regression,
        objective: (params) => ({ params }),
        optimizer: adamw<Line>({ schedule: constant(0.1) }),
        batches: trainingBatches(points, { batchSize: 8, seed: 1, augment: false }),
        steps: 2 * scores.length,
      },
      { trainingMacsPerExample: 100, milestones },
      averaged ? ({ state: { average } }) => average : undefined,
    );
    const { params, state: reached, bestStep, ledger } = result;
    const told = {
      params: await downloadTree(params),
      average: await downloadTree(reached),
      bestStep,
      ledger,
    };
    disposeTree([params, reached]);
    return told;
  } finally {
    disposeTree(line);
  }
}

const fresh = () => killedAfter(new Map(), Infinity);
/** The weights after so many steps, without patience. */
const after = async (evaluations: number, averaged: boolean): Promise<HostTensors> => {
  const { params, average } = await run(fresh(), { scores: Array(evaluations).fill(0), evaluations: 0 });
  return averaged
    ? new Map([...average].map(([path, leaf]) => [path.replace('average.', ''), leaf]))
    : params;
};

describeOnEveryEngine('patience', () => {
  it.each([false, true])(
    'ends after evaluations without a better one, with the best weights (averaged: %s)',
    async (averaged) => {
      const before = memory().numTensors;
      const scores = [1, 3, 2, 3, 2, 9];
      const { params, bestStep, ledger } = await run(fresh(), { scores, evaluations: 3, averaged });
      expect(bestStep).toBe(4); // the earliest of equals
      expect(ledger).toMatchObject({ steps: 10, examples: 80, trainingMacs: 8000 });
      expect(params).toEqual(await after(2, averaged));
      expect(memory().numTensors).toBe(before);
    },
  );

  it('goes on while it gets better, and comes to its best weights all the same', async () => {
    const { params, bestStep, ledger } = await run(fresh(), { scores: [1, 2, 5, 4], evaluations: 2 });
    expect([bestStep, ledger.steps]).toEqual([6, 8]);
    expect(params).toEqual(await after(3, false));
  });

  it('is exact about when it ends, whatever the scores', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 3 }),
        async (scores, evaluations) => {
          const { bestStep, ledger } = await run(fresh(), { scores, evaluations });
          let [best, at, end] = [-1, -1, scores.length];
          for (const [index, score] of scores.entries()) {
            if (score > best) [best, at] = [score, index];
            else if (index - at >= evaluations) {
              end = index + 1;
              break;
            }
          }
          expect([bestStep, ledger.steps]).toEqual([2 * (at + 1), 2 * end]);
        },
      ),
      { numRuns: 15 },
    ));

  it('ends the same when it is killed before any of its saves', async () => {
    const request: Request = { scores: [1, 3, 2, 2, 9], evaluations: 2, averaged: true };
    const { ledger, ...whole } = await run(fresh(), request);
    for (let saves = 0; saves < 5; saves++) {
      const kept = new Map();
      await expect(run(killedAfter(kept, saves), request)).rejects.toThrow('killed');
      const { ledger: again, ...resumed } = await run(killedAfter(kept, Infinity), request);
      expect(resumed).toEqual(whole);
      expect(again.steps).toBe(ledger.steps);
      const { ledger: _, ...loaded } = await run(killedAfter(kept, 0), request);
      expect(loaded).toEqual(whole);
    }
  });

  it('refuses a score that there is not', async () => {
    const runner: Runner = { store: fresh(), checkpointEvery: 3, report: () => undefined };
    const line = flatLine();
    const training = {
      params: line,
      state: {},
      task: regression,
      objective: (params: Line) => ({ params }),
      optimizer: adamw<Line>({ schedule: constant(0.1) }),
      batches: trainingBatches(points, { batchSize: 8, seed: 1, augment: false }),
      steps: 2,
    };
    const milestones = {
      at: [1],
      score: () => Promise.resolve({ loss: 1 }),
      patience: { metric: 'accuracy', evaluations: 1 },
    };
    await expect(
      runPhase(runner, 'fit', training, { trainingMacsPerExample: 1, milestones }),
    ).rejects.toThrow(/no score accuracy/);
    disposeTree(line);
  });
});
