import { type Tensor, memory, tidy, valueAndGrads } from '@tensorflow/tfjs-core';
import { startEngine } from '@winnow/engine';
import {
  type LxmertParams,
  type RegionGroundingBatch,
  type UniterParams,
  initialize,
  leavesOf,
  lxmert,
  lxmertConfig,
  regionGrounding,
  uniter,
  uniterConfig,
  withLeaves,
} from '../../src/index';

beforeAll(async () => {
  await startEngine('wasm');
});

const [END, F] = [2, 5];
const sizes = { vocabulary: 9, context: 4, endToken: END, features: F, regions: 3 };
const widths = { embedDim: 8, heads: 2, denseHeadDim: 4 };
const block = { headDim: 4, hiddenDim: 8 };
const oneStream = uniter({
  ...uniterConfig('nano', { ...sizes, head: { kind: 'expressions' } }),
  ...widths,
  trunk: { blocks: [block] },
});
const mini = lxmertConfig('mini', { ...sizes, head: { kind: 'expressions' } });
const twoStreams = lxmert({
  ...{ ...mini, ...widths },
  text: { ...mini.text, blocks: [block] },
  vision: { ...mini.vision, blocks: [block] },
  cross: { blocks: [{ cross: { headDim: 4 }, text: block, vision: block }] },
});

/** Three pictures: the second region is meant, the first of two, and one that no region shows. */
const boxes = [
  [0, 0, 0.3, 0.3],
  [0.5, 0.5, 0.9, 0.9],
  [0, 0.5, 0.4, 0.9],
];
const batch: RegionGroundingBatch = {
  ...{ size: 3, texts: 3 },
  tokens: Int32Array.of(1, 3, END, 1, 4, END, 1, 5, END),
  truths: Float32Array.of(0.5, 0.5, 0.9, 0.85, 0, 0, 0.3, 0.3, 0.9, 0, 1, 0.1),
  regions: {
    count: 3,
    features: Float32Array.from({ length: 3 * 3 * F }, (_, index) => Math.sin(index * index)),
    boxes: Float32Array.from([...boxes, ...boxes, ...boxes].flat()),
    real: Float32Array.of(1, 1, 1, 1, 1, 0, 1, 1, 1),
  },
};

test('the loss is the cross-entropy of the region that shows the object, where one does', () => {
  const task = regionGrounding(oneStream, { features: F, places: 7, endToken: END });
  tidy(() => {
    const params = initialize<UniterParams>(oneStream.specs, 4);
    const prediction = task.predict(params, batch);
    const rows = prediction.logits.arraySync();
    const surprise = (row: number, meant: number) => {
      const all = (rows[row] ?? []).reduce((sum, logit) => sum + Math.exp(logit), 0);
      return Math.log(all) - (rows[row]?.[meant] ?? NaN);
    };
    expect(task.loss(prediction, batch).dataSync()[0]).toBeCloseTo((surprise(0, 1) + surprise(1, 0)) / 2, 4);
    const nowhere = { ...batch, truths: new Float32Array(12) };
    expect(task.loss(task.predict(params, nowhere), nowhere).dataSync()[0]).toBeCloseTo(0, 9);
    expect(task.divergence(prediction, task.predict(params, batch), batch).dataSync()[0]).toBe(0);
  });
});

test('every parameter of an LXMERT that picks regions has a slope', () => {
  const task = regionGrounding(twoStreams, { features: F, places: 4, endToken: END });
  const before = memory().numTensors;
  tidy(() => {
    const params = initialize<LxmertParams>(twoStreams.specs, 4);
    const leaves = leavesOf(params);
    const { grads } = valueAndGrads((...own: Tensor[]) =>
      task.loss(task.predict(withLeaves(params, own), batch), batch),
    )(leaves);
    expect(grads).toHaveLength(leaves.length);
  });
  expect(memory().numTensors).toBe(before);
});

test('a region is right that overlaps the object by half, and padding is never picked', async () => {
  const task = regionGrounding(oneStream, { features: F, places: 7 });
  const scoresOf = async (logits: readonly number[]) => {
    const scorer = task.scorer();
    const host = { dtype: 'float32', shape: [3, 3], values: Float32Array.from(logits) } as const;
    await scorer.add({ logits: host }, batch);
    return scorer.scores();
  };
  const found = await scoresOf([0, 9, 1, 5, 4, 100, 0, 0, 1]);
  expect(found['p1']).toBeCloseTo(200 / 3, 5);
  expect((await scoresOf([9, 0, 1, 4, 5, 0, 1, 0, 0]))['p1']).toBe(0);
  expect((await scoresOf([9, 0, 1, 4, 5, 0, 1, 0, 0]))['p5']).toBeCloseTo(200 / 3, 5);
});
