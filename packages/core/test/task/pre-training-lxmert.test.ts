import { type Tensor, type Tensor2D, memory, mul, tidy, valueAndGrads } from '@tensorflow/tfjs-core';
import { startEngine } from '@winnow/engine';
import {
  type HiddenBatch,
  type LxmertConfig,
  type LxmertHead,
  type LxmertParams,
  type RegionStatementBatch,
  configSchema,
  disposeTree,
  downloadTree,
  entriesOf,
  initialize,
  leavesOf,
  lxmert,
  lxmertConfig,
  preTraining,
  regionStatements,
  tidyTree,
  withLeaves,
} from '../../src/index';

beforeAll(async () => {
  await startEngine('wasm');
});

const [END, MASK, F, CLASSES] = [2, 9, 5, 4];
const tiny = (head: LxmertHead): LxmertConfig => {
  const { text, vision, ...rest } = lxmertConfig('mini', {
    ...{ vocabulary: 10, context: 4, endToken: END, features: F, regions: 2, head },
  });
  const block = { headDim: 4, hiddenDim: 12 };
  return {
    ...{ ...rest, embedDim: 8, heads: 2, denseHeadDim: 4 },
    text: { ...text, blocks: [block] },
    vision: { ...vision, blocks: [block] },
    cross: { blocks: [{ cross: { headDim: 4 }, text: block, vision: block }] },
  };
};
const model = lxmert(tiny({ kind: 'pre-training', classes: CLASSES }));
const task = preTraining(model, {
  ...{ features: F, places: 4, endToken: END, alignment: 0, regionLoss: 'smooth' },
});

/** Examples that are asked for a word, a region's features, a region's class, and whether both belong together. */
const batch: HiddenBatch = {
  ...{ size: 4, texts: 4 },
  tokens: Int32Array.of(1, MASK, 4, END, 1, 5, END, END, 1, 3, END, END, 1, 3, 4, END),
  hiddenWords: Int32Array.of(-1, 7, ...new Array<number>(14).fill(-1)),
  matches: Int32Array.of(-1, -1, -1, 1),
  hiddenRegions: Float32Array.of(0, 0, 1, 0, 0, 1, 0, 0),
  hiddenClasses: Int32Array.of(-1, -1, -1, -1, -1, 3, -1, -1),
  regions: {
    count: 2,
    features: Float32Array.from({ length: 40 }, (_, index) => 3 * Math.sin(index)),
    boxes: Float32Array.from({ length: 32 }, (_, index) => (index % 4 < 2 ? 0.1 : 0.7)),
    real: new Float32Array(8).fill(1),
  },
};

test('its loss is that of its formula, 2 : 2 : 1 : 1, and every parameter has a slope', () => {
  const before = memory().numTensors;
  tidy(() => {
    const params = initialize<LxmertParams>(model.specs, 3);
    const { matches, words, regions, classes } = task.predict(params, batch);
    const surprise = (logits: Tensor | undefined, right: number) => {
      const values = [...(logits?.dataSync() ?? [])];
      return Math.log(values.reduce((all, value) => all + Math.exp(value), 0)) - (values[right] ?? NaN);
    };
    const shown = batch.regions.features.subarray(2 * F, 3 * F);
    const smooth = [...regions.dataSync()].map((value, index) => {
      const far = Math.abs(value - (shown[index] ?? NaN));
      return far < 1 ? far ** 2 / 2 : far - 0.5;
    });
    expect([classes?.shape, Math.max(...smooth) > 1]).toEqual([[1, CLASSES], true]);
    const expected =
      (2 * surprise(matches, 1) +
        2 * surprise(words, 7) +
        smooth.reduce((all, value) => all + value, 0) / F +
        surprise(classes, 3)) /
      6;
    const paths = entriesOf(params).map(([path]) => path);
    const { value, grads } = valueAndGrads((...leaves: Tensor[]) =>
      task.loss(task.predict(withLeaves(params, leaves), batch), batch),
    )(leavesOf(params));
    expect(value.dataSync()[0]).toBeCloseTo(expected, 4);
    expect(grads).toHaveLength(paths.length);
  });
  expect(memory().numTensors).toBe(before);
});

test('what a hidden region shows is not seen, and classes are scored', async () => {
  const params = tidyTree(() => initialize<LxmertParams>(model.specs, 3));
  const saidOf = (features: Float32Array) =>
    tidy(() => [
      ...(task.predict(params, { ...batch, regions: { ...batch.regions, features } }).classes?.dataSync() ??
        []),
    ]);
  const other = batch.regions.features.map((value, at) => (at >= 5 * F && at < 6 * F ? 9 : value));
  expect(saidOf(other)).toEqual(saidOf(batch.regions.features));
  const prediction = tidyTree(() => task.predict(params, batch));
  const scorer = task.scorer();
  await scorer.add(Object.fromEntries(await downloadTree(prediction)), batch);
  expect([0, 100]).toContain((await scorer.scores())['classes']);
  disposeTree([params, prediction]);
});

test('an LXMERT judges statements by both pictures, at the cost of two passes', () => {
  const [one, two] = [lxmert(tiny({ kind: 'expressions' })), lxmert(tiny({ kind: 'statements' }))];
  expect(configSchema().parse(JSON.parse(JSON.stringify(two.config)))).toEqual(two.config);
  const both = configSchema().safeParse({ ...two.config, answers: 3 });
  expect(both.error?.message).toMatch(/a number of answers, or another head/);
  const macsOf = ({ account }: typeof one) =>
    account.lines.filter(({ part }) => part.startsWith('cross')).reduce((sum, { macs }) => sum + macs, 0);
  expect(macsOf(two)).toBe(2 * macsOf(one));
  const stated: RegionStatementBatch = {
    ...{ size: 2, texts: 2, labels: Int32Array.of(0, 1) },
    tokens: batch.tokens.subarray(4, 12),
    regions: batch.regions,
  };
  const judging = regionStatements(two, { features: F, places: 4, endToken: END });
  tidy(() => {
    const params = initialize<LxmertParams>(two.specs, 3);
    const leaves = leavesOf(params);
    const { grads } = valueAndGrads((...own: Tensor[]) =>
      judging.loss(judging.predict(withLeaves(params, own), stated), stated),
    )(leaves);
    expect(grads).toHaveLength(leaves.length);
    const saidOf = (example: RegionStatementBatch) => [...judging.predict(params, example).logits.dataSync()];
    const [all, second] = [saidOf(stated), saidOf(judging.slice?.(stated, 1, 2) ?? stated)];
    second.forEach((value, index) => expect(value).toBeCloseTo(all[2 + index] ?? NaN, 4));
    const turned = Float32Array.from([
      ...stated.regions.features.subarray(2 * F, 4 * F),
      ...stated.regions.features.subarray(0, 2 * F),
      ...stated.regions.features.subarray(4 * F),
    ]);
    const said = saidOf({ ...stated, regions: { ...stated.regions, features: turned } });
    expect(said.slice(0, 2)).not.toEqual(all.slice(0, 2));
  });
});

describe('questions in an LXMERT’s pre-training', () => {
  const ANSWERS = 3;
  const asking = lxmert(tiny({ kind: 'pre-training', classes: CLASSES, answers: ANSWERS }));
  const asks = preTraining(asking, {
    ...{ features: F, places: 4, endToken: END, alignment: 0, regionLoss: 'smooth' },
  });
  /** The third example is asked a question in place of a class. */
  const asked: HiddenBatch = {
    ...batch,
    hiddenRegions: Float32Array.of(0, 0, 1, 0, 0, 0, 0, 0),
    hiddenClasses: new Int32Array(8).fill(-1),
    answers: Int32Array.of(-1, -1, 2, -1),
  };

  it('are answered by the head that a model for answers has', () => {
    expect(configSchema().parse(JSON.parse(JSON.stringify(asking.config)))).toEqual(asking.config);
    const { head: _, ...rest } = asking.config;
    const shapes = (model: typeof asking) =>
      entriesOf(model.specs.head ?? {}).map(([path, { shape }]) => [path, shape]);
    const answering = lxmert({ ...rest, answers: ANSWERS });
    expect(shapes(asking)).toEqual(shapes(answering));
    expect(shapes(asking).length).toBeGreaterThan(0);
    const lines = (model: typeof asking) => model.account.lines.filter(({ part }) => part.startsWith('head'));
    expect(lines(asking)).toEqual(lines(answering));
  });

  it('weigh as much as matching, 2 : 2 : 1 : 1 : 2, and every parameter has a slope', () => {
    const before = memory().numTensors;
    tidy(() => {
      const params = initialize<LxmertParams>(asking.specs, 3);
      const lossOf = (own: LxmertParams, example: HiddenBatch) =>
        asks.loss(asks.predict(own, example), example);
      const { answers } = asks.predict(params, asked);
      expect(answers?.shape).toEqual([1, ANSWERS]);
      const values = [...(answers?.dataSync() ?? [])];
      const surprise = Math.log(values.reduce((all, value) => all + Math.exp(value), 0)) - (values[2] ?? NaN);
      const { value, grads } = valueAndGrads((...leaves: Tensor[]) =>
        lossOf(withLeaves(params, leaves), asked),
      )(leavesOf(params));
      expect(grads).toHaveLength(leavesOf(params).length);
      const unasked = { ...asked, answers: new Int32Array(4).fill(-1) };
      const others = lossOf(params, unasked).dataSync()[0] ?? NaN;
      expect((value.dataSync()[0] ?? NaN) - others).toBeCloseTo((2 * surprise) / 8, 4);
      const { answers: _, ...without } = asked;
      expect(lossOf(params, without).dataSync()[0]).toBeCloseTo(others, 5);
      const one = asks.predict(params, asked);
      expect(asks.divergence(one, one, asked).dataSync()[0]).toBeCloseTo(0, 5);
      const other = { ...one, answers: mul<Tensor2D>(one.answers ?? one.words, 2) };
      expect(asks.divergence(one, other, asked).dataSync()[0]).toBeGreaterThan(0);
      expect(asks.distillation(one, other, asked).dataSync()[0]).not.toBe(
        asks.distillation(one, one, asked).dataSync()[0],
      );
    });
    expect(memory().numTensors).toBe(before);
  });

  it('are scored in percent, where a model tells answers', async () => {
    const host = (values: readonly number[]) =>
      ({ dtype: 'float32', shape: [values.length], values: Float32Array.from(values) }) as const;
    const others = {
      ...{ matches: host([0, 1]), words: host(new Array<number>(10).fill(0)), costs: host([0]) },
      ...{ regions: host(new Array<number>(F).fill(0)), classes: host([0, 0, 0, 0]) },
    };
    const scoreOf = async (more: Readonly<Record<string, ReturnType<typeof host>>>) => {
      const scorer = asks.scorer();
      await scorer.add({ ...others, ...more }, asked);
      return (await scorer.scores())['answers'];
    };
    expect(await scoreOf({ answers: host([0, 1, 2]) })).toBe(100);
    expect(await scoreOf({ answers: host([2, 1, 2]) })).toBe(0); // a tie
    expect(await scoreOf({})).toBeUndefined();
  });
});
