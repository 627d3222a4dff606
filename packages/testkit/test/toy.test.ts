import { memory } from '@tensorflow/tfjs-core';
import {
  adamw,
  cosine,
  disposeTree,
  evaluate,
  evaluationBatches,
  sizeOf,
  leavesOf,
  train,
  trainingBatches,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import {
  SimulatedCrash,
  crashAfterSaves,
  memorySnapshotStore,
  tinyModel,
  tinyVariant,
  toyData,
  toyTask,
} from '../src/index';

beforeAll(async () => {
  await startEngine('wasm');
});

describe('the toy data', () => {
  it('is a function of the seed, the split and the index', async () => {
    const [a, b] = [toyData({ seed: 3 }), toyData({ seed: 3 })];
    const whole = await a.train.batch([4, 9, 2]);
    expect(whole).toEqual(await b.train.batch([4, 9, 2]));
    expect((await b.train.batch([9])).images).toEqual(whole.images.slice(64, 128));
    expect((await toyData({ seed: 4 }).train.batch([9])).images).not.toEqual(whole.images.slice(64, 128));
    expect((await a.test.batch([9])).images).not.toEqual(whole.images.slice(64, 128));
    expect([...whole.labels]).toEqual([1, 0, 2]);
  });

  it('can be learned by the tiny model', async () => {
    const before = memory().numTensors;
    const { model, params } = tinyModel();
    const task = toyTask(model);
    const data = toyData({ size: 240 });
    const scoreOf = (tree: typeof params) => evaluate(task, tree, evaluationBatches(data.test, 16));
    const untrained = await scoreOf(params);
    const trained = await train({
      params,
      state: {},
      task,
      effective: (tree) => tree,
      optimizer: adamw({ schedule: cosine(5e-3, 120) }),
      batches: trainingBatches(data.train, { batchSize: 16, seed: 1, augment: true }),
      steps: 120,
    });
    const scores = await scoreOf(trained.params);
    expect(untrained['top1']).toBeLessThan(60);
    expect(scores['top1']).toBeGreaterThan(85);
    disposeTree(params);
    disposeTree(trained.params);
    expect(memory().numTensors).toBe(before);
  });
});

describe('the tiny models', () => {
  it('come in geometries drawn from the seed', () => {
    const variants = [1, 1, 2, 3, 4].map((seed) => tinyVariant(seed));
    const [first, again, ...others] = variants.map(({ model }) => JSON.stringify(model.config));
    expect(again).toBe(first);
    expect(new Set([first, ...others]).size).toBe(4);
    for (const { model, params } of variants) {
      expect(leavesOf(params).reduce((sum, leaf) => sum + sizeOf(leaf), 0)).toBe(model.account.parameters);
      disposeTree(params);
    }
  });
});

describe('the memory store', () => {
  const snapshot = (value: number) => ({
    tensors: new Map([['x', { dtype: 'float32' as const, shape: [1], values: Float32Array.of(value) }]]),
    meta: { value },
  });

  it('keeps copies', async () => {
    const store = memorySnapshotStore();
    const saved = snapshot(1);
    await store.save('a', saved);
    saved.tensors.get('x')?.values.fill(5);
    expect(await store.load('a')).toEqual(snapshot(1));
    (await store.load('a'))?.tensors.get('x')?.values.fill(6);
    expect(await store.load('a')).toEqual(snapshot(1));
    await store.remove('a');
    expect(await store.load('a')).toBeUndefined();
  });

  it('crashes after so many saves and keeps what was there', async () => {
    const store = memorySnapshotStore();
    const mortal = crashAfterSaves(store, 1);
    await mortal.save('a', snapshot(1));
    await expect(mortal.save('a', snapshot(2))).rejects.toThrow(SimulatedCrash);
    expect(await store.load('a')).toEqual(snapshot(1));
  });
});
