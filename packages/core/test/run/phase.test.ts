import { memory, tensor1d } from '@tensorflow/tfjs-core';
import {
  type RunEvent,
  type Runner,
  type Snapshot,
  UserError,
  adamw,
  constant,
  disposeTree,
  downloadTree,
  evaluate,
  evaluationBatches,
  runPhase,
  scoredOnce,
  toJson,
  trainingBatches,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { type Line, type Points, flatLine, points, regression } from '../train/regression';

// How a run recovers as a whole is for the conformance suite of testkit; here is what one phase writes and reports.
describeOnEveryEngine('a phase', () => {
  const snapshots = new Map<string, Snapshot>();
  const events: RunEvent[] = [];
  const runner: Runner = {
    store: {
      load: (name) => Promise.resolve(snapshots.get(name)),
      save: (name, snapshot) => {
        snapshots.set(name, snapshot);
        return Promise.resolve();
      },
      remove: (name) => {
        snapshots.delete(name);
        return Promise.resolve();
      },
    },
    checkpointEvery: 4,
    report: (event) => events.push(event),
  };
  const run = (line: Line) =>
    runPhase(
      runner,
      'fit',
      {
        params: line,
        state: {},
        task: regression,
        objective: (params) => ({ params }),
        optimizer: adamw<Line>({ schedule: constant(0.1) }),
        batches: trainingBatches(points, { batchSize: 8, seed: 1, augment: false }),
        steps: 10,
      },
      {
        trainingMacsPerExample: 100,
        milestones: {
          at: [5, 10],
          score: (params) => evaluate(regression, params as Line, evaluationBatches(points, 8)),
        },
      },
    );
  beforeEach(() => {
    snapshots.clear();
    events.length = 0;
  });

  it('reports its steps, milestones and checkpoints, and charges what it spends', async () => {
    const line = flatLine();
    const before = memory().numTensors;
    const { params, milestones, ledger } = await run(line);
    const told = events.flatMap((event) =>
      event.kind === 'step' || event.kind === 'note' || event.kind === 'scoring'
        ? []
        : [`${event.kind} ${'step' in event ? event.step : event.from}`],
    );
    expect(told).toEqual([
      'phase 0',
      'checkpoint 4',
      'scores 5',
      'checkpoint 8',
      'scores 10',
      'checkpoint 10',
    ]);
    const steps = events.flatMap((event) => (event.kind === 'step' ? [event.step] : []));
    expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(milestones.map(({ step }) => step)).toEqual([5, 10]);
    expect(milestones.map(({ scores }) => scores['count'])).toEqual([24, 24]);
    expect(ledger).toMatchObject({ phase: 'fit', steps: 10, examples: 80, trainingMacs: 8000 });
    expect(ledger.wallMs).toBeGreaterThan(0);
    disposeTree(params);
    expect(memory().numTensors).toBe(before);
    disposeTree(line);
  });

  it('is loaded instead of run when it has finished, with its milestones and its costs', async () => {
    const line = flatLine();
    const first = await run(line);
    events.length = 0;
    const again = await run(line);
    expect(events).toEqual([]);
    expect(again.milestones).toEqual(first.milestones);
    expect(again.ledger).toMatchObject({ examples: 80, trainingMacs: 8000 });
    expect(await downloadTree(again.params)).toEqual(await downloadTree(first.params));
  });

  it('names a checkpoint that is not its own, and says what to do', async () => {
    const line = flatLine();
    await run(line);
    const sound = snapshots.get('phase-fit');
    if (sound === undefined) throw new Error('there is no checkpoint');
    const remedy = /phase-fit: not a checkpoint that this run can go on from .*remove it/s;
    for (const meta of [null, 5, { step: 'x' }, { ...Object(sound.meta), wallMs: null }]) {
      snapshots.set('phase-fit', { ...sound, meta });
      const failure = run(line);
      await expect(failure).rejects.toThrow(UserError);
      await expect(failure).rejects.toThrow(remedy);
    }
    for (const step of [4, 10]) {
      snapshots.set('phase-fit', { meta: { ...Object(sound.meta), step }, tensors: new Map() });
      const failure = run(line);
      await expect(failure).rejects.toThrow(UserError);
      await expect(failure).rejects.toThrow(/missing [^]*remove it/);
    }
    const named: Runner = {
      ...runner,
      store: { ...runner.store, whereIs: (name) => `runs/a/checkpoints/${name}.safetensors` },
    };
    snapshots.set('scores', { tensors: new Map(), meta: { top1: null } });
    await expect(scoredOnce(named, 'scores', () => Promise.resolve({}))).rejects.toThrow(
      /^runs\/a\/checkpoints\/scores\.safetensors: .*top1: /,
    );
    disposeTree(line);
  });

  it('tells of scores before it saves them, and of no others once they are saved', async () => {
    const failing: Runner = {
      ...runner,
      store: { ...runner.store, save: () => Promise.reject(new Error('killed')) },
    };
    const score = () => Promise.resolve({ top1: 50 });
    await expect(scoredOnce(failing, 'scores', score)).rejects.toThrow('killed');
    expect(events.map(({ kind }) => kind)).toEqual(['scoring', 'scores']);
    await scoredOnce(runner, 'scores', score);
    await scoredOnce(runner, 'scores', score);
    expect(events.map(({ kind }) => kind)).toEqual(['scoring', 'scores', 'scoring', 'scores']);
  });

  it('saves no score that is not a number: it would come back as null', async () => {
    const score = () => Promise.resolve({ top1: 0, loss: Number.NaN });
    await expect(scoredOnce(runner, 'scores', score)).rejects.toThrow(/loss is NaN, where a number/);
    expect(snapshots.has('scores')).toBe(false);
  });

  it('saves nothing that is no number, and keeps the checkpoint of before', async () => {
    const line = flatLine();
    const state = { seen: tensor1d([0]) };
    const before = memory().numTensors;
    const failing = runPhase<Line, Line, typeof state, Points>(
      runner,
      'fit',
      {
        params: line,
        state,
        task: regression,
        objective: (params) => ({ params }),
        // What a method carries along is looked at when it is saved.
        afterStep: ({ step, params }) => ({ params, state: { seen: tensor1d([step < 6 ? step : NaN]) } }),
        optimizer: adamw<Line>({ schedule: constant(0.1) }),
        batches: trainingBatches(points, { batchSize: 8, seed: 1, augment: false }),
        steps: 10,
      },
      { trainingMacsPerExample: 100 },
    );
    await expect(failing).rejects.toThrow(UserError);
    await expect(failing).rejects.toThrow(
      /^state\/seen holds NaN, so phase-fit is not saved: lower the learning rate/,
    );
    expect(snapshots.get('phase-fit')?.meta).toMatchObject({ step: 4 });
    expect(memory().numTensors).toBe(before);
    disposeTree([line, state]);
  });

  it.each([4, 10])(
    'does not go on from a checkpoint of step %d that holds NaN, and names it',
    async (step) => {
      const line = flatLine();
      await run(line);
      const sound = snapshots.get('phase-fit');
      if (sound === undefined) throw new Error('there is no checkpoint');
      const tensors = new Map(sound.tensors);
      tensors.set('params/bias', { dtype: 'float32', shape: [1], values: Float32Array.of(NaN) });
      snapshots.set('phase-fit', { meta: { ...Object(sound.meta), step }, tensors });
      const failure = run(line);
      await expect(failure).rejects.toThrow(UserError);
      await expect(failure).rejects.toThrow(/phase-fit: .*params\/bias holds NaN.*remove it/);
      disposeTree(line);
    },
  );

  it('keeps its optimiser only until it is finished', async () => {
    const kept: string[][] = [];
    const line = flatLine();
    const { store } = runner;
    const spied: Runner = {
      ...runner,
      store: {
        ...store,
        save: (name, snapshot) => {
          kept.push([...snapshot.tensors.keys()]);
          return store.save(name, snapshot);
        },
      },
    };
    await runPhase(
      spied,
      'fit',
      {
        params: line,
        state: { memory: line.bias },
        task: regression,
        objective: (params) => ({ params }),
        optimizer: adamw<Line>({ schedule: constant(0.1) }),
        batches: trainingBatches(points, { batchSize: 8, seed: 1, augment: false }),
        steps: 5,
      },
      { trainingMacsPerExample: 1 },
    );
    const trained = ['params/weight', 'params/bias', 'state/memory'];
    const moments = ['mean', 'variance'].flatMap((moment) => [
      `optimizer/${moment}.weight`,
      `optimizer/${moment}.bias`,
    ]);
    expect(kept).toEqual([[...trained, ...moments], trained]);
  });
});

describe('a phase that is extended', () => {
  const extend = (runner: Runner, steps: number) =>
    runPhase(
      runner,
      'fit',
      {
        params: flatLine(),
        state: {},
        task: regression,
        objective: (params) => ({ params }),
        optimizer: adamw<Line>({ schedule: constant(0.1) }),
        batches: trainingBatches(points, { batchSize: 8, seed: 1, augment: false }),
        steps,
      },
      { trainingMacsPerExample: 100, isExtended: true },
    );
  const quiet = (): Runner => {
    const snapshots = new Map<string, Snapshot>();
    return {
      store: {
        load: (name) => Promise.resolve(snapshots.get(name)),
        save: (name, snapshot) => Promise.resolve(void snapshots.set(name, snapshot)),
        remove: (name) => Promise.resolve(void snapshots.delete(name)),
      },
      checkpointEvery: 4,
      report: () => undefined,
    };
  };

  it('ends in the same bytes as one of all its steps', async () => {
    const whole = await extend(quiet(), 10);
    const runner = quiet();
    await extend(runner, 3);
    await extend(runner, 7);
    const extended = await extend(runner, 10);
    expect(await downloadTree(extended.params)).toEqual(await downloadTree(whole.params));
    expect(extended.ledger).toMatchObject({ steps: 10, examples: 80, trainingMacs: 8000 });
  });

  it('gives what it has reached when fewer steps are asked for', async () => {
    const runner = quiet();
    const whole = await extend(runner, 10);
    const again = await extend(runner, 3);
    expect(await downloadTree(again.params)).toEqual(await downloadTree(whole.params));
    expect(again.ledger).toMatchObject({ steps: 3 });
  });
});

describe('toJson', () => {
  it('drops what JSON cannot hold', () => {
    expect(toJson({ a: [1, 'x', null, true], b: undefined })).toEqual({ a: [1, 'x', null, true] });
    expect(() => toJson(undefined)).toThrow();
  });
});
