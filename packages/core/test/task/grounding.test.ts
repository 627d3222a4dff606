import {
  type Tensor,
  type Tensor2D,
  gather,
  grads,
  memory,
  tensor1d,
  tensor2d,
  tensor3d,
  tidy,
} from '@tensorflow/tfjs-core';
import { startEngine } from '@winnow/engine';
import fc from 'fast-check';
import { type GroundingBatch, type Groundings, cornersOf, giou, randomStream } from '../../src/index';
import { alignmentLoss, generalisedOverlaps, groundingLoss } from '../../src/task/grounding-loss';
import { matchedQueries } from '../../src/task/grounding-matching';
import { groundingScorer } from '../../src/task/grounding-scorer';

beforeAll(async () => {
  await startEngine('wasm');
});

test('contrastive alignment of the published vector', () => {
  tidy(() => {
    const scores = [0.5, 0.1, -0.2, -0.3, 0.8, 0.4].map((score) => score / 0.07);
    const loss = alignmentLoss(
      tensor3d(scores, [1, 2, 3]),
      tensor2d([1, 1, 1], [1, 3]),
      tensor3d([1, 1, 0, 0, 0, 1], [1, 2, 3]),
    );
    expect((loss.dataSync()[0] ?? Number.NaN) / 2).toBeCloseTo(4.644576, 5);
  });
});

const share = fc.double({ min: 0.05, max: 0.95, noNaN: true });
const centred = fc.array(fc.tuple(share, share, share, share), { minLength: 1, maxLength: 6 });

test('GIoU with a gradient is the plain one', () => {
  fc.assert(
    fc.property(centred, centred, (ones, others) => {
      tidy(() => {
        const count = Math.min(ones.length, others.length);
        const [a, b] = [ones, others].map((boxes) => boxes.slice(0, count).flat()) as [number[], number[]];
        const found = generalisedOverlaps(tensor2d(a, [count, 4]), tensor2d(b, [count, 4])).dataSync();
        found.forEach((value, i) => expect(value).toBeCloseTo(giou(cornersOf(a), i, cornersOf(b), i), 4));
      });
    }),
    { numRuns: 30 },
  );
});

const [B, Q, T, K] = [2, 4, 3, 6];

/** A prediction of two layers and objects, drawn from a seed. To be called in a tidy. */
function drawn(seed: number): { prediction: Groundings; objects: GroundingBatch['objects'] } {
  const random = randomStream(seed, 'groundings');
  const matrix = (rows: number, columns: number, value: () => number): Tensor2D =>
    tensor2d(Float32Array.from({ length: rows * columns }, value), [rows, columns]);
  const layer = (suffix: string) => ({
    [`logits${suffix}`]: matrix(B * Q, K, () => random.normal()),
    [`boxes${suffix}`]: matrix(B * Q, 4, () => 0.1 + 0.8 * random.uniform()),
    [`aligned${suffix}`]: matrix(B * Q, 2, () => random.normal()),
  });
  const { logits, boxes, aligned } = layer('') as Pick<Groundings, 'logits' | 'boxes' | 'aligned'>;
  return {
    prediction: {
      ...layer('0'),
      logits,
      boxes,
      aligned,
      words: matrix(B * T, 2, () => random.normal()),
      read: matrix(B, T, () => 1),
    },
    objects: {
      boxes: Float32Array.from({ length: 3 * 4 }, () => 0.1 + 0.8 * random.uniform()),
      examples: Int32Array.of(0, 0, 1),
      tokens: [Int32Array.of(0), Int32Array.of(1, 2), Int32Array.of(2)],
    },
  };
}

const valueOf = (prediction: Groundings, objects: GroundingBatch['objects']): number =>
  groundingLoss(prediction, objects).dataSync()[0] ?? Number.NaN;

test('the order of the queries of an example does not change the loss', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.shuffledSubarray([0, 1, 2, 3], { minLength: Q, maxLength: Q }),
      (seed, order) => {
        tidy(() => {
          const { prediction, objects } = drawn(seed);
          const rows = tensor1d([...order, ...order.map((query) => Q + query)], 'int32');
          const moved: Groundings = {
            ...prediction,
            ...Object.fromEntries(
              Object.entries(prediction).flatMap(([name, tensor]) =>
                /^(logits|boxes|aligned)/.test(name) ? [[name, gather(tensor, rows)]] : [],
              ),
            ),
          };
          expect(valueOf(moved, objects)).toBeCloseTo(valueOf(prediction, objects), 3);
        });
      },
    ),
    { numRuns: 20 },
  );
});

test('without any object all queries are to say that there is none', () => {
  tidy(() => {
    const { prediction } = drawn(4);
    const none = { boxes: new Float32Array(), examples: new Int32Array(), tokens: [] };
    const surprise = [prediction.logits, prediction['logits0']].reduce((total, logits) => {
      const rows = logits?.dataSync() ?? new Float32Array();
      let sum = 0;
      for (let row = 0; row < B * Q; row++) {
        const own = [...rows.slice(row * K, (row + 1) * K)];
        sum += Math.log(own.reduce((all, logit) => all + Math.exp(logit), 0)) - (own.at(-1) ?? 0);
      }
      return total + 0.1 * sum;
    }, 0);
    expect(valueOf(prediction, none)).toBeCloseTo(surprise, 3);
  });
});

test('all that is predicted has a gradient, also where there is no object', () => {
  tidy(() => {
    const { prediction } = drawn(5);
    const none = { boxes: new Float32Array(), examples: new Int32Array(), tokens: [] };
    const { read, ...told } = prediction;
    const names = Object.keys(told);
    const gradients = grads((...tensors: Tensor[]) =>
      groundingLoss(
        { ...prediction, ...Object.fromEntries(names.map((name, index) => [name, tensors[index] ?? read])) },
        none,
      ),
    )(Object.values(told));
    expect(gradients).toHaveLength(names.length);
    names.forEach((name, index) => {
      const isUsed = name.startsWith('logits');
      expect(Math.max(...[...(gradients[index]?.dataSync() ?? [])].map(Math.abs)) > 0).toBe(isUsed);
    });
  });
});

test('objects get queries of their own example, no two the same; those beyond the queries get none', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 6 }), (seed, count) => {
      const random = randomStream(seed, 'match');
      const rowOf = matchedQueries(
        {
          logits: Float32Array.from({ length: B * Q * K }, () => random.normal()),
          boxes: Float32Array.from({ length: B * Q * 4 }, () => random.uniform()),
          examples: B,
        },
        {
          boxes: Float32Array.from({ length: count * 4 }, () => random.uniform()),
          examples: new Int32Array(count).fill(1),
          tokens: Array.from({ length: count }, () => Int32Array.of(random.integer(T))),
        },
      );
      const given = [...rowOf].filter((row) => row >= 0);
      expect(new Set(given).size).toBe(Math.min(count, Q));
      for (const row of given) expect(Math.floor(row / Q)).toBe(1);
    }),
    { numRuns: 30 },
  );
});

test('a query that says the object’s words and stands where it is, is its own', () => {
  const boxes = new Float32Array(B * Q * 4).fill(0.5);
  boxes.set([0.2, 0.3, 0.1, 0.1], (Q + 2) * 4);
  const logits = new Float32Array(B * Q * K);
  logits[(Q + 2) * K + 1] = 5;
  const objects = {
    boxes: Float32Array.of(0.2, 0.3, 0.1, 0.1),
    examples: Int32Array.of(1),
    tokens: [Int32Array.of(1)],
  };
  expect([...matchedQueries({ logits, boxes, examples: B }, objects)]).toEqual([Q + 2]);
});

test('scores are precisions of the surest boxes', async () => {
  const logits = new Float32Array(2 * 2 * 2);
  logits.set([3, 0, 0, 3, 0, 3, 3, 0]); // the first of one picture is sure, and the second of the other
  const right = [0.5, 0.5, 0.2, 0.2];
  const wrong = [0.1, 0.1, 0.1, 0.1];
  const scorer = groundingScorer();
  const batch = {
    size: 2,
    images: new Float32Array(),
    texts: 2,
    tokens: new Int32Array(),
    objects: { boxes: Float32Array.from([...right, ...right]), examples: Int32Array.of(0, 1), tokens: [] },
  };
  const prediction = {
    logits: { dtype: 'float32', shape: [4, 2], values: logits },
    boxes: {
      dtype: 'float32',
      shape: [4, 4],
      values: Float32Array.from([...right, ...wrong, ...right, ...wrong]),
    },
  } as const;
  await scorer.add(prediction, batch);
  expect(await scorer.scores()).toEqual({ p1: 50, p5: 100, p10: 100, giouP1: 50, giouP5: 100, giouP10: 100 });
  expect(memory().numTensors).toBeGreaterThanOrEqual(0);
});
