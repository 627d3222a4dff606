import { type Tensor, memory, tidy, valueAndGrads } from '@tensorflow/tfjs-core';
import {
  type EntailmentBatch,
  type HostPrediction,
  type Logits,
  type Model,
  type RegionEntailmentBatch,
  type Task,
  type TensorTree,
  disposeTree,
  entailment,
  initialize,
  leavesOf,
  lxmert,
  lxmertConfig,
  randomStream,
  regionEntailment,
  uniter,
  uniterConfig,
  vilt,
  visionTowerConfig,
  withLeaves,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';

const [END, F, R, T] = [2, 5, 3, 4];
const CLASSES = ['contradiction', 'entailment', 'neutral'] as const;
const head = { kind: 'answers', answers: CLASSES.length } as const;
const random = randomStream(6, 'entailment');
const numbers = (count: number) => Float32Array.from({ length: count }, () => random.normal());

const texts = {
  ...{ size: 2, texts: 2 },
  tokens: Int32Array.of(1, 3, 4, END, 1, 5, END, END),
  labels: Int32Array.of(2, 0),
};
const shown: EntailmentBatch = { ...texts, images: numbers(2 * 8 * 8 * 3) };
const inRegions: RegionEntailmentBatch = {
  ...texts,
  regions: {
    count: R,
    features: numbers(2 * R * F),
    boxes: Float32Array.from({ length: 2 * R * 4 }, (_, index) => (index % 4 < 2 ? 0.1 : 0.7)),
    real: Float32Array.of(1, 1, 1, 1, 1, 0),
  },
};

const sizes = { vocabulary: 9, context: T, endToken: END, features: F, regions: R };
const block = { headDim: 4, hiddenDim: 12 };
const narrow = { embedDim: 8, heads: 2, denseHeadDim: 4 };
const oneStream = (() => {
  const vision = visionTowerConfig('nano', { imageSize: 8, patchSize: 4 });
  return vilt({
    ...{ kind: 'vilt', modalities: 2, head },
    vision: { ...vision, tower: { ...vision.tower, ...narrow, blocks: [block] } },
    text: { vocabulary: 9, context: T, endToken: END, normEpsilon: 1e-6 },
  });
})();
const ofRegions = uniter({
  ...uniterConfig('nano', { ...sizes, head }),
  ...narrow,
  trunk: { blocks: [block] },
});
const twoStreams = (() => {
  const { text, vision, ...rest } = lxmertConfig('mini', { ...sizes, answers: head.answers });
  return lxmert({
    ...{ ...rest, ...narrow },
    text: { ...text, blocks: [block] },
    vision: { ...vision, blocks: [block] },
    cross: { blocks: [{ cross: { headDim: 4 }, text: block, vision: block }] },
  });
})();

const options = { classes: CLASSES, endToken: END };
const pixels = { ...options, imageSize: 8, channels: 3 };
const judgedBy = entailment(oneStream, pixels);

/** Laws of a task whose loss is a mean over examples. */
function obeysItsLaws<Params extends TensorTree, Batch extends EntailmentBatch | RegionEntailmentBatch>(
  model: Pick<Model<Params>, 'specs'>,
  task: Task<Params, Batch, Logits, HostPrediction>,
  batch: Batch,
): void {
  const before = memory().numTensors;
  const params = initialize<Params>(model.specs, 3);
  tidy(() => {
    const lossOf = (own: Params, example: Batch) => task.loss(task.predict(own, example), example);
    const leaves = leavesOf(params);
    const { value, grads } = valueAndGrads((...own: Tensor[]) => lossOf(withLeaves(params, own), batch))(
      leaves,
    );
    expect(grads).toHaveLength(leaves.length);
    const prediction = task.predict(params, batch);
    expect(prediction.logits.shape).toEqual([2, CLASSES.length]);
    const surprises = [...prediction.logits.logSoftmax().dataSync()];
    const own = [...batch.labels].map((label, row) => -(surprises[row * CLASSES.length + label] ?? NaN));
    const mean = own.reduce((sum, each) => sum + each, 0) / 2;
    expect(value.dataSync()[0]).toBeCloseTo(mean, 4);
    const parts = [0, 1].map((from) => task.slice?.(batch, from, from + 1) ?? batch);
    parts.forEach((part, row) => expect(lossOf(params, part).dataSync()[0]).toBeCloseTo(own[row] ?? NaN, 4));
    expect(task.divergence(prediction, prediction, batch).dataSync()[0]).toBeCloseTo(0, 5);
    const taught = task.distillation(prediction, prediction, batch).dataSync()[0] ?? NaN;
    expect(taught).toBeGreaterThan(0); // the entropy of what is taught
    const endless = { ...batch, tokens: batch.tokens.map((token) => (token === END ? 3 : token)) };
    expect(() => task.predict(params, endless)).toThrow(RangeError);
  });
  disposeTree(params);
  expect(memory().numTensors).toBe(before);
}

describeOnEveryEngine('entailment', () => {
  it('by a ViLT obeys the laws of a task', () => obeysItsLaws(oneStream, judgedBy, shown));
  it('by a UNITER obeys the laws of a task', () =>
    obeysItsLaws(ofRegions, regionEntailment(ofRegions, { ...options, features: F, places: 7 }), inRegions));
  it('by an LXMERT obeys the laws of a task', () =>
    obeysItsLaws(
      twoStreams,
      regionEntailment(twoStreams, { ...options, features: F, places: 4 }),
      inRegions,
    ));
});

describe('the scores of entailment', () => {
  const scored = async (rows: readonly (readonly number[])[], labels: readonly number[]) => {
    const scorer = judgedBy.scorer();
    for (const [row, values] of rows.entries()) {
      const logits = { dtype: 'float32', shape: [1, 3], values: Float32Array.from(values) } as const;
      const one = { ...shown, size: 1, texts: 1, labels: Int32Array.of(labels[row] ?? 0) };
      await scorer.add({ logits }, one);
    }
    return scorer.scores();
  };

  it('are the shares that are right, of all and of each class that there is', async () => {
    const rows = [
      [3, 1, 2],
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
    ];
    expect(await scored(rows, [0, 2, 2, 2])).toEqual({
      ...{ accuracy: 75, contradiction: 100 },
      neutral: (100 * 2) / 3,
    });
  });

  it('count a tie, and what is no number, as wrong', async () => {
    const rows = [
      [1, 1, 0],
      [NaN, 0, 0],
      [0, NaN, 1],
    ];
    expect(await scored(rows, [0, 0, 2])).toEqual({ accuracy: 0, contradiction: 0, neutral: 0 });
  });

  it('need logits', () => {
    expect(() => judgedBy.scorer().add({}, shown)).toThrow('entailment: no judgements were predicted');
  });
});
