import {
  type Tensor,
  memory,
  randomNormal,
  slice,
  tensor2d,
  tidy,
  valueAndGrads,
} from '@tensorflow/tfjs-core';
import type { Rank, Tensor3D } from '@tensorflow/tfjs-core';
import { startEngine } from '@winnow/engine';
import {
  type HiddenBatch,
  type UniterConfig,
  type UniterParams,
  disposeTree,
  downloadTree,
  entriesOf,
  initialize,
  leavesOf,
  optimalTransport,
  preTraining,
  tidyTree,
  transportCosts,
  uniter,
  uniterConfig,
  withLeaves,
} from '../../src/index';

beforeAll(async () => {
  await startEngine('wasm');
});

const [END, MASK, F] = [2, 9, 5];
const config: UniterConfig = {
  ...uniterConfig('nano', { vocabulary: 10, context: 5, endToken: END, features: F, regions: 3 }),
  ...{ embedDim: 8, heads: 2, denseHeadDim: 4 },
  trunk: { blocks: [1, 2].map(() => ({ headDim: 4, hiddenDim: 12 })) },
};
const model = uniter(config);
const task = preTraining(model, { features: F, places: 7, endToken: END });

/** Three examples: one that is asked for a word, one for a region, one whether both belong together. */
const batch: HiddenBatch = {
  ...{ size: 3, texts: 3 },
  tokens: Int32Array.of(1, MASK, 4, END, 1, 5, END, END, 1, 3, 4, END),
  hiddenWords: Int32Array.of(-1, 7, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1),
  matches: Int32Array.of(-1, -1, 0),
  hiddenRegions: Float32Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0),
  regions: {
    count: 3,
    features: Float32Array.from({ length: 45 }, (_, index) => Math.sin(index)),
    boxes: Float32Array.from({ length: 36 }, (_, index) => (index % 4 < 2 ? 0.1 : 0.7)),
    real: Float32Array.of(1, 1, 1, 1, 1, 0, 1, 1, 1),
  },
};

test('its loss is that of what is asked, 2 : 2 : 1, and every parameter has a slope', () => {
  const before = memory().numTensors;
  tidy(() => {
    const params = initialize<UniterParams>(model.specs, 3);
    const { matches, words, regions, costs } = task.predict(params, batch);
    expect([matches.shape, words.shape, regions.shape, costs.shape]).toEqual([[1, 2], [1, 10], [1, F], [1]]);
    const surprise = (logits: Tensor, right: number) => {
      const values = [...logits.dataSync()];
      return Math.log(values.reduce((all, value) => all + Math.exp(value), 0)) - (values[right] ?? NaN);
    };
    const shown = batch.regions.features.subarray(4 * F, 5 * F);
    const squares = [...regions.dataSync()].map((value, index) => (value - (shown[index] ?? NaN)) ** 2);
    const expected =
      (2 * (surprise(matches, 0) - 0.1 * (costs.dataSync()[0] ?? NaN)) +
        2 * surprise(words, 7) +
        squares.reduce((all, value) => all + value, 0) / F) /
      5;
    const paths = entriesOf(params).map(([path]) => path);
    const { value, grads } = valueAndGrads((...leaves: Tensor[]) =>
      task.loss(task.predict(withLeaves(params, leaves), batch), batch),
    )(leavesOf(params));
    expect(value.dataSync()[0]).toBeCloseTo(expected, 4);
    expect(grads).toHaveLength(paths.length);
    const moved = paths.filter((_, index) => grads[index]?.dataSync().some((slope) => slope !== 0));
    expect(moved).toEqual(
      expect.arrayContaining(['regions.mask', 'matching.weight', 'hidden.bias', 'pooler.bias']),
    );
    expect(
      task.divergence(task.predict(params, batch), task.predict(params, batch), batch).dataSync()[0],
    ).toBe(0);
  });
  expect(memory().numTensors).toBe(before);
});

test('what a hidden region shows is not seen, and where it is is', () => {
  tidy(() => {
    const params = initialize<UniterParams>(model.specs, 3);
    const saidOf = (regions: Partial<HiddenBatch['regions']>) => [
      ...task.predict(params, { ...batch, regions: { ...batch.regions, ...regions } }).regions.dataSync(),
    ];
    const plain = saidOf({});
    const otherwise = batch.regions.features.map((value, at) => (at >= 4 * F && at < 5 * F ? 9 : value));
    expect(saidOf({ features: otherwise })).toEqual(plain);
    const elsewhere = batch.regions.boxes.map((value, at) => (at >= 16 && at < 20 ? value / 2 : value));
    expect(saidOf({ boxes: elsewhere })).not.toEqual(plain);
  });
});

test('scores count what was asked, and a batch of which nothing is has no loss', async () => {
  const params = tidyTree(() => initialize<UniterParams>(model.specs, 3));
  const prediction = tidyTree(() => task.predict(params, batch));
  const host = Object.fromEntries(await downloadTree(prediction));
  const scorer = task.scorer();
  await scorer.add(host, batch);
  const scores = await scorer.scores();
  expect([0, 100]).toContain(scores['words']);
  expect([0, 100]).toContain(scores['matching']);
  expect(scores['regions']).toBe(0); // a single one has no variance
  const nothing: HiddenBatch = {
    ...batch,
    hiddenWords: batch.hiddenWords.map(() => -1),
    matches: batch.matches.map(() => -1),
    hiddenRegions: batch.hiddenRegions.map(() => 0),
  };
  tidy(() => {
    expect(task.loss(task.predict(params, nothing), nothing).dataSync()[0]).toBe(0);
  });
  disposeTree([params, prediction]);
});

test('of hidden regions the share of the variance is scored that is found: all, or that of their mean', async () => {
  const both = { ...batch, hiddenRegions: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 0) };
  const shown = [0, 4].map((place) => [...batch.regions.features.subarray(place * F, (place + 1) * F)]);
  const mean = shown[0]?.map((value, at) => (value + (shown[1]?.[at] ?? NaN)) / 2) ?? [];
  const scoreOf = async (regions: readonly (readonly number[])[]) => {
    const host = (values: readonly number[]) =>
      ({ dtype: 'float32', shape: [values.length], values: Float32Array.from(values) }) as const;
    const scorer = task.scorer();
    const others = { matches: host([0, 1]), words: host(new Array<number>(10).fill(0)), costs: host([0]) };
    await scorer.add({ ...others, regions: host(regions.flat()) }, both);
    return (await scorer.scores())['regions'];
  };
  expect(await scoreOf(shown)).toBeCloseTo(100, 5);
  expect(await scoreOf([mean, mean])).toBeCloseTo(0, 4);
});

test('the transport of a batch is that of each example without its padding', () => {
  tidy(() => {
    const told = randomNormal<Rank.R3>([2, 4, 6], 0, 1, 'float32', 1);
    const seen = randomNormal<Rank.R3>([2, 3, 6], 0, 1, 'float32', 2);
    const costs = transportCosts({
      ...{ told, seen },
      words: tensor2d([0, 1, 1, 0, 0, 1, 1, 1], [2, 4]),
      regions: tensor2d([1, 1, 1, 1, 1, 0], [2, 3]),
    });
    const rows = (states: Tensor3D, example: number, from: number, count: number) =>
      slice(states, [example, from, 0], [1, count, 6]).as2D(count, 6);
    const expected = [
      optimalTransport(rows(told, 0, 1, 2), rows(seen, 0, 0, 3)),
      optimalTransport(rows(told, 1, 1, 3), rows(seen, 1, 0, 2)),
    ].map((cost) => cost.dataSync()[0] ?? NaN);
    [...costs.dataSync()].forEach((cost, example) => expect(cost).toBeCloseTo(expected[example] ?? NaN, 4));
  });
});
