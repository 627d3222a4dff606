import { type Tensor, memory, tidy, valueAndGrads } from '@tensorflow/tfjs-core';
import { startEngine } from '@winnow/engine';
import fc from 'fast-check';
import {
  type Logits,
  type PairBatch,
  type ParameterSpec,
  type RegionPairBatch,
  type Task,
  type TensorTree,
  type Tree,
  type UniterParams,
  type ViltParams,
  disposeTree,
  initialize,
  jointMatching,
  leavesOf,
  regionMatching,
  tidyTree,
  uniter,
  uniterConfig,
  vilt,
  visionTowerConfig,
  withLeaves,
} from '../../src/index';
import { othersOf } from '../../src/task/other-texts';

beforeAll(async () => {
  await startEngine('wasm');
});

const [END, F] = [2, 5];
const base = visionTowerConfig('nano', { imageSize: 8, patchSize: 4 });
const vision = {
  ...base,
  tower: { ...base.tower, embedDim: 8, heads: 2, denseHeadDim: 4, blocks: [{ headDim: 4, hiddenDim: 8 }] },
};
const text = { vocabulary: 9, context: 4, endToken: END, normEpsilon: 1e-12 };
const words = vilt({ kind: 'vilt', vision, text, modalities: 2, head: { kind: 'retrieval' } });
const regions = uniter({
  ...uniterConfig('nano', {
    ...{ vocabulary: 9, context: 4, endToken: END, features: F, regions: 2 },
    head: { kind: 'retrieval' },
  }),
  ...{ embedDim: 8, heads: 2, denseHeadDim: 4, trunk: { blocks: [{ headDim: 4, hiddenDim: 8 }] } },
});

/** Three pictures; the first has two texts. */
const told = {
  ...{ size: 3, texts: 4 },
  tokens: Int32Array.of(1, 3, END, END, 1, 4, 5, END, 1, 6, END, END, 1, 7, 8, END),
  imageGroups: Int32Array.of(10, 11, 12),
  textGroups: Int32Array.of(10, 10, 11, 12),
};
const pictures: PairBatch = {
  ...told,
  images: Float32Array.from({ length: 3 * 8 * 8 * 3 }, (_, index) => Math.sin(index * index)),
};
const shown: RegionPairBatch = {
  ...told,
  regions: {
    count: 2,
    features: Float32Array.from({ length: 3 * 2 * F }, (_, index) => Math.sin(index * index)),
    boxes: Float32Array.from({ length: 24 }, (_, index) => (index % 4 < 2 ? 0.1 : 0.6)),
    real: Float32Array.of(1, 1, 1, 0, 1, 1),
  },
};
const byChoice = jointMatching(words, { imageSize: 8, channels: 3, endToken: END, loss: 'choice' });
const byMargin = regionMatching(regions, { features: F, places: 7, endToken: END, loss: 'margin' });

test('others are never of the own group, nor twice, and as many for each', () => {
  const groups = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(groups, fc.integer({ min: 0, max: 6 }), (own, most) => {
      const textGroups = Int32Array.from(own);
      const imageGroups = Int32Array.from(new Set(own));
      const found = othersOf({ imageGroups, textGroups }, most);
      for (const [drawn, of] of [
        [found.texts, textGroups],
        [found.pictures, imageGroups],
      ] as const) {
        expect(new Set(drawn.map(({ length }) => length)).size).toBe(1);
        drawn.forEach((others, row) => {
          expect(new Set(others).size).toBe(others.length);
          expect(others.some((place) => of[place] === textGroups[row])).toBe(false);
        });
      }
    }),
  );
});

/** The loss of a batch of four texts with two others each. */
function checkLoss<Params extends TensorTree, Batch>(
  task: Task<Params, Batch, Logits>,
  batch: Batch,
  specs: Tree<ParameterSpec>,
  lossesOf: (own: number, others: readonly number[]) => readonly number[],
): void {
  const before = memory().numTensors;
  tidy(() => {
    const params = initialize<Params>(specs, 5);
    const { logits } = task.predict(params, batch);
    expect(logits.shape).toEqual([4, 3]);
    const values = [...logits.dataSync()];
    const losses = [0, 3, 6, 9].flatMap((from) =>
      lossesOf(values[from] ?? NaN, values.slice(from + 1, from + 3)),
    );
    const leaves = leavesOf(params);
    const { value, grads } = valueAndGrads((...own: Tensor[]) =>
      task.loss(task.predict(withLeaves(params, own), batch), batch),
    )(leaves);
    expect(value.dataSync()[0]).toBeCloseTo(losses.reduce((sum, loss) => sum + loss, 0) / losses.length, 5);
    expect(grads).toHaveLength(leaves.length);
    const same = task.divergence(task.predict(params, batch), task.predict(params, batch), batch);
    expect(same.dataSync()[0]).toBe(0);
  });
  expect(memory().numTensors).toBe(before);
}

test('a ViLT tells a text by the cross-entropy among others', () => {
  checkLoss(byChoice, pictures, words.specs, (own, others) => [
    Math.log(1 + others.reduce((sum, other) => sum + Math.exp(other - own), 0)),
  ]);
});

test('a UNITER tells a text by a margin to another text and to another picture', () => {
  const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));
  checkLoss(byMargin, shown, regions.specs, (own, others) =>
    others.map((other) => Math.max(0, 0.2 + sigmoid(other) - sigmoid(own))),
  );
});

test('all texts are read about all pictures of the first ones, and ranks are those of the scores', async () => {
  const params = tidyTree(() => initialize<ViltParams>(words.specs, 5));
  const before = memory().numTensors;
  const answer = await byChoice.answer?.(params, pictures);
  if (answer === undefined) throw new Error('expected an answer');
  const [seen] = answer.seen;
  if (seen === undefined) throw new Error('expected pictures');
  const together = await answer.score(seen, answer.tokens);
  const alone = await answer.score(seen, answer.tokens.slice(3));
  expect(alone[0]).toBeCloseTo(together[3] ?? NaN, 5); // filled up or not
  const asked: number[] = [];
  const scorer = byChoice.scorer();
  // A perfect reader: texts of the picture's own group score 1.
  const perfect = {
    ...answer,
    seen: [0, 1, 2].map((size) => ({ images: new Float32Array(), size })),
    score: (own: { readonly size: number }, tokens: readonly Int32Array[]) => {
      asked.push(tokens.length);
      const right = [[0, 1], [2], [3]][own.size] ?? [];
      return Promise.resolve(
        Float32Array.from(tokens, (read) => (right.includes(answer.tokens.indexOf(read)) ? 1 : 0)),
      );
    },
  };
  await scorer.add(perfect, pictures);
  const scores = await scorer.scores();
  expect([scores['textR1'], scores['imageR1'], scores['meanR']]).toEqual([100, 100, 100]);
  expect(asked).toEqual([4, 4, 4]);
  expect(memory().numTensors).toBe(before);
  disposeTree(params);
});

test('recalls are among the first pictures alone', async () => {
  const task = regionMatching(regions, { features: F, places: 7, loss: 'margin', pictures: 1 });
  const params = tidyTree(() => initialize<UniterParams>(regions.specs, 5));
  const scorer = task.scorer();
  const answer = await task.answer?.(params, shown);
  if (answer === undefined) throw new Error('expected an answer');
  await scorer.add(answer, shown);
  expect((await scorer.scores())['meanR']).toBe(100); // one picture, and its own texts
  disposeTree(params);
});

test('a text without its end is refused', () => {
  const endless = { ...pictures, tokens: pictures.tokens.map((token) => (token === END ? 3 : token)) };
  tidy(() => {
    const params = initialize<ViltParams>(words.specs, 5);
    expect(() => byChoice.predict(params, endless)).toThrow(RangeError);
  });
});
