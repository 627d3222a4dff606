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
  tinyDualEncoder,
  tinyDualEncoderVariant,
  tinyModel,
  tinyVariant,
  toyData,
  toyPairs,
  toyRetrieval,
  toyTask,
} from '../src/index';
import { toyTextShape } from '../src/data/toy-pairs';

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
      objective: (tree) => ({ params: tree }),
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

describe('the toy pairs', () => {
  it('are the toy pictures, told in words', async () => {
    const pairs = await toyPairs({ seed: 3 }).train.batch([4, 9, 2, 30]);
    const { images, labels } = await toyData({ seed: 3 }).train.batch([4, 9, 2, 30]);
    expect(pairs.images).toEqual(images);
    expect([pairs.size, pairs.texts]).toEqual([4, 4]);
    const length = pairs.tokens.length / 4;
    const { context, endToken, vocabulary } = toyTextShape;
    expect(length).toBeLessThanOrEqual(context);
    labels.forEach((label, row) => {
      const text = [...pairs.tokens.slice(row * length, (row + 1) * length)];
      const words = text.slice(1, text.indexOf(endToken));
      expect(text[0]).toBe(0);
      // An orientation and a place, with or without a word that says nothing before them.
      expect(words.slice(-2)[0]).toBe(1 + label);
      expect(words.length === 2 || (words.length === 3 && words[0] === vocabulary - 2)).toBe(true);
      expect(pairs.imageGroups[row]).toBe(label * 8 + (words.at(-1) ?? Number.NaN) - 4);
    });
    expect(pairs.textGroups).toEqual(pairs.imageGroups);
  });

  it('are a function of the seed, the split and the index, whatever else is in the batch', async () => {
    const [a, b] = [toyPairs({ seed: 3 }), toyPairs({ seed: 3 })];
    expect(await a.train.batch([4, 9, 2])).toEqual(await b.train.batch([4, 9, 2]));
    const lengths = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => (await a.train.batch([index])).tokens.length),
    );
    expect(new Set(lengths)).toEqual(new Set([4, 5]));
    const [together, alone] = [await a.train.batch([1, 0, 5]), await a.train.batch([5])];
    const length = together.tokens.length / 3;
    const last = [...together.tokens.slice(2 * length)];
    const own = [...alone.tokens];
    expect(last.slice(0, own.length)).toEqual(own);
    expect(last.slice(own.length)).toEqual(new Array(length - own.length).fill(toyTextShape.endToken));
    expect((await a.test.batch([5])).images).not.toEqual(alone.images);
  });

  it('can be learned by the tiny dual encoder', async () => {
    const before = memory().numTensors;
    const { model, params } = tinyDualEncoder();
    const task = toyRetrieval(model);
    const data = toyPairs({ size: 240 });
    const scoreOf = (tree: typeof params) => evaluate(task, tree, evaluationBatches(data.test, 16));
    const untrained = await scoreOf(params);
    const trained = await train({
      params,
      state: {},
      task,
      objective: (tree) => ({ params: tree }),
      optimizer: adamw({ schedule: cosine(5e-3, 120) }),
      batches: trainingBatches(data.train, { batchSize: 16, seed: 1, augment: true }),
      steps: 120,
    });
    const scores = await scoreOf(trained.params);
    expect(untrained['meanR']).toBeLessThan(40);
    expect(scores['meanR']).toBeGreaterThan(2 * (untrained['meanR'] ?? Infinity));
    disposeTree(params);
    disposeTree(trained.params);
    expect(memory().numTensors).toBe(before);
  });
});

describe('the tiny models', () => {
  it.each([tinyVariant, tinyDualEncoderVariant])(
    'come in geometries drawn from the seed: %p',
    (makeVariant) => {
      const variants = [1, 1, 2, 3, 4].map((seed) => makeVariant(seed));
      const [first, again, ...others] = variants.map(({ model }) => JSON.stringify(model.config));
      expect(again).toBe(first);
      expect(new Set([first, ...others]).size).toBe(4);
      for (const { model, params } of variants) {
        expect(leavesOf(params).reduce((sum, leaf) => sum + sizeOf(leaf), 0)).toBe(model.account.parameters);
        disposeTree(params);
      }
    },
  );
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
