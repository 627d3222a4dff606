import { memory, tensor2d, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { startEngine } from '@winnow/engine';
import fc from 'fast-check';
import {
  type BatchSource,
  type BlipParams,
  type PairBatch,
  type Runner,
  type Snapshot,
  adamw,
  blip,
  constant,
  disposeTree,
  downloadTree,
  entriesOf,
  initialize,
  matching,
  runPhase,
  tidyTree,
} from '../../src/index';
import { matchingMemory } from '../../src/task/matching-memory';
import { END, START, smallBlip } from '../model/small-blip';

beforeAll(async () => {
  await startEngine('wasm');
});

const SIDE = 8;
const shape = { imageSize: SIDE, channels: 3 };
const [Q, m] = [5, 0.9];
const model = blip(smallBlip('retrieval'));
const kept = matchingMemory(model, shape, { queue: Q, momentum: m });
const task = matching(model, { ...shape, momentum: { queue: Q, momentum: m } });

/** Two pictures with a text each. */
const batchOf = (step: number, groups: readonly number[] = [2 * step, 2 * step + 1]): PairBatch => ({
  ...{ size: 2, texts: 2, imageGroups: Int32Array.from(groups), textGroups: Int32Array.from(groups) },
  images: Float32Array.from({ length: 2 * SIDE * SIDE * 3 }, (_, at) => Math.sin(at * (step + 1))),
  tokens: Int32Array.of(START, 3 + (step % 4), END, START, 1 + (step % 3), END),
});
const freshParams = (seed: number) => initialize<BlipParams>(model.specs, seed);
const imagesOf = ({ images, size }: PairBatch) => tensor4d(images, [size, SIDE, SIDE, 3]);
const tokensOf = ({ tokens, texts }: PairBatch) => tensor2d(tokens, [texts, tokens.length / texts], 'int32');
const moment = { step: 0, stepsPerEpoch: 4 };

test('the copy moves by 1 − m towards the model, and queues have the latest first', () => {
  const before = memory().numTensors;
  tidy(() => {
    const [old, params] = [freshParams(1), freshParams(2)];
    const start = kept.init(old);
    const one = kept.update(start, params, batchOf(0), moment);
    const values = new Map(entriesOf(params).map(([path, leaf]) => [path, leaf.dataSync()]));
    const former = new Map(entriesOf(old).map(([path, leaf]) => [path, leaf.dataSync()]));
    for (const [path, leaf] of entriesOf(one.copy)) {
      const own = leaf.dataSync();
      own.forEach((value, at) => {
        expect(value).toBeCloseTo(
          m * (former.get(path)?.[at] ?? NaN) + (1 - m) * (values.get(path)?.[at] ?? NaN),
          5,
        );
      });
    }
    expect([...one.imageGroups.dataSync()]).toEqual([0, 1, -1, -1, -1]);
    const two = kept.update(one, params, batchOf(1), moment);
    const three = kept.update(two, params, batchOf(2), moment);
    expect([...three.textGroups.dataSync()]).toEqual([4, 5, 2, 3, 0]); // the oldest went out
    expect([...three.images.dataSync()].slice(2 * 4, 4 * 4)).toEqual(
      [...two.images.dataSync()].slice(0, 2 * 4),
    );
    expect(() => kept.update(one, params, { ...batchOf(0), size: 6 }, moment)).toThrow(
      /a queue of 6 or more/,
    );
  });
  expect(memory().numTensors).toBe(before);
});

test('what is aimed at is a distribution; α grows in the first epoch; pairs of one group share evenly', () => {
  const groupsOf = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 2, maxLength: 2 });
  fc.assert(
    fc.property(groupsOf, groupsOf, fc.integer({ min: 0, max: 12 }), (first, second, step) => {
      tidy(() => {
        const params = freshParams(3);
        const one = kept.update(kept.init(params), params, batchOf(0, first), moment);
        const batch = batchOf(1, second);
        const two = kept.update(one, params, batch, { step, stepsPerEpoch: 8 });
        const alpha = 0.4 * Math.min(1, step / 8);
        expect(two.alpha.dataSync()[0]).toBeCloseTo(alpha, 6);
        const embedded = model.passes.compare(
          params,
          model.passes.see(params, imagesOf(batch)),
          tokensOf(batch),
        );
        const { wantedTexts, toTexts } = kept.compare(two, params, embedded, batch);
        const rows = wantedTexts.arraySync();
        rows.forEach((row, place) => {
          expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
          expect(row[4]).toBe(0); // nothing is there
          const own = [...second, ...first].map((group) => group === second[place]);
          const share = (1 - alpha) / own.filter((is) => is).length;
          own.forEach((is, at) => {
            if (is) expect(row[at]).toBeGreaterThan(share - 1e-5);
            else expect(row[at]).toBeLessThanOrEqual(alpha + 1e-5);
          });
        });
        expect(Math.max(...toTexts.arraySync().map((row) => row[4] ?? 0))).toBeLessThan(-9000);
      });
    }),
    { numRuns: 8 },
  );
});

test('a queue of the batch alone, without the copy, is the loss against the batch', () => {
  tidy(() => {
    const params = freshParams(4);
    const batch = batchOf(3);
    const [alone, plain] = [
      matching(model, { ...shape, momentum: { queue: 2, momentum: 0 } }),
      matching(model, shape),
    ];
    const start = alone.memory?.init(params) ?? {};
    const own = alone.memory?.update(start, params, batch, moment) ?? {};
    const recalled = alone.memory?.recall(own);
    if (recalled === undefined) throw new Error('expected a memory');
    const expected = plain.loss(plain.predict(params, batch), batch).dataSync()[0] ?? NaN;
    const found = recalled.loss(recalled.predict(params, batch), batch).dataSync()[0];
    expect(found).toBeCloseTo(expected, 4);
  });
});

test('a training that is stopped goes on with its queue and its copy, and ends in the same bytes', async () => {
  const params = tidyTree(() => freshParams(5));
  const before = memory().numTensors;
  const batches: BatchSource<PairBatch> = {
    ...{ batchSize: 2, stepsPerEpoch: 2 },
    at: (step) => Promise.resolve(batchOf(step)),
  };
  const runWith = async (snapshots: Map<string, Snapshot>, stopAt: number) => {
    const stopping = new AbortController();
    const runner: Runner = {
      store: {
        load: (name) => Promise.resolve(snapshots.get(name)),
        save: (name, snapshot) => Promise.resolve(void snapshots.set(name, snapshot)),
        remove: (name) => Promise.resolve(void snapshots.delete(name)),
      },
      checkpointEvery: 10,
      signal: stopping.signal,
      report: (event) => {
        if (event.kind === 'step' && event.step === stopAt) stopping.abort();
      },
    };
    const { params: trained, state } = await runPhase(
      runner,
      'learn',
      {
        ...{ params, state: {}, task, batches, steps: 4 },
        objective: (own: BlipParams) => ({ params: own }),
        optimizer: adamw<BlipParams>({ schedule: constant(1e-3) }),
      },
      { trainingMacsPerExample: 1 },
    );
    const host = await downloadTree(trained);
    disposeTree([trained, state]);
    return host;
  };
  const whole = await runWith(new Map(), 0);
  const snapshots = new Map<string, Snapshot>();
  await expect(runWith(snapshots, 2)).rejects.toThrow();
  const names = [...(snapshots.get('phase-learn')?.tensors.keys() ?? [])];
  expect(names).toEqual(expect.arrayContaining(['memory/images', 'memory/alpha']));
  expect(await runWith(snapshots, 0)).toEqual(whole);
  const left = [...(snapshots.get('phase-learn')?.tensors.keys() ?? [])];
  expect(left.some((name) => name.startsWith('memory/'))).toBe(false);
  expect(memory().numTensors).toBe(before);
  disposeTree(params);
});
