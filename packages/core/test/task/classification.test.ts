import { type Tensor2D, memory, mul, tensor2d } from '@tensorflow/tfjs-core';
import {
  type ImageBatch,
  type ImageInputs,
  type Model,
  classification,
  disposeTree,
  downloadTree,
  evaluate,
  measureLatency,
  pictureInputs,
  predictedClasses,
  tidyTree,
} from '../../src/index';
import fc from 'fast-check';
import { describeOnEveryEngine } from '../engine/every-engine';

/** A model whose logits are its parameters, one row for each picture of a batch. */
const table: Pick<Model<{ logits: Tensor2D }, ImageInputs>, 'forward'> = {
  forward: ({ logits }) => ({ logits: mul<Tensor2D>(logits, 1) }),
};

const batchOf = (...labels: number[]): ImageBatch => ({
  size: labels.length,
  images: new Float32Array(labels.length),
  labels: Int32Array.from(labels),
});

async function* asBatches(...batches: ImageBatch[]): AsyncGenerator<ImageBatch> {
  for (const batch of batches) yield Promise.resolve(batch);
}

describeOnEveryEngine('classification', () => {
  const options = { inputs: pictureInputs({ imageSize: 1, channels: 1 }), classes: 7 };
  const task = classification(table, options);
  const ascending = [0, 1, 2, 3, 4, 5, 6];

  it('scores top-1, top-5 and loss over all batches', async () => {
    const params = { logits: tensor2d([...ascending, ...ascending], [2, 7]) };
    const before = memory().numTensors;
    const scores = await evaluate(task, params, asBatches(batchOf(6, 2), batchOf(1, 6)));
    expect(memory().numTensors).toBe(before);
    expect(scores['top1']).toBe(50);
    expect(scores['top5']).toBe(75);
    const logSum = Math.log(ascending.reduce((sum, value) => sum + Math.exp(value), 0));
    expect(scores['loss']).toBeCloseTo(logSum - (6 + 2 + 1 + 6) / 4, 5);
    disposeTree(params);
  });

  it('counts mixed labels by their shares, smoothed as others are', () => {
    const smoothed = classification(table, { ...options, labelSmoothing: 0.2 });
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 14, maxLength: 14 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, share) => {
          const told: number[] = [];
          tidyTree(() => {
            const prediction = { logits: tensor2d(values, [2, 7]) };
            const [own, other] = [batchOf(6, 2), batchOf(1, 2)];
            const lossOf = (batch: Parameters<typeof smoothed.loss>[1]) =>
              smoothed.loss(prediction, batch).dataSync()[0] ?? Number.NaN;
            told.push(lossOf({ ...own, mixed: { labels: other.labels, share } }));
            told.push(share * lossOf(own) + (1 - share) * lossOf(other));
            return {};
          });
          expect(told[0]).toBeCloseTo(told[1] ?? Number.NaN, 4);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('does not name the best five where there are no more classes', async () => {
    const params = { logits: tensor2d([0, 1, 2, 3, 4], [1, 5]) };
    const five = classification(table, { ...options, classes: 5 });
    expect(Object.keys(await evaluate(five, params, asBatches(batchOf(4))))).toEqual(['loss', 'top1']);
    disposeTree(params);
  });

  it('gives a constant output no hit', async () => {
    const scores = await evaluate(
      task,
      { logits: tensor2d(new Array<number>(7).fill(0), [1, 7]) },
      asBatches(batchOf(0)),
    );
    expect(scores).toMatchObject({ top1: 0, top5: 0 });
    expect(scores['loss']).toBeCloseTo(Math.log(7), 6);
  });

  it('counts an output that is not a number as a miss', async () => {
    const nowhere = tensor2d(new Array<number>(7).fill(Number.NaN), [1, 7]);
    const scores = await evaluate(task, { logits: nowhere }, asBatches(batchOf(3)));
    expect(scores).toMatchObject({ top1: 0, top5: 0, loss: Number.NaN });
  });

  it('takes each example for the class that its top-1 counts, also where classes tie or are no numbers', async () => {
    const logit = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(Number.NaN));
    const example = fc.record({
      label: fc.integer({ min: 0, max: 6 }),
      row: fc.array(logit, { minLength: 7, maxLength: 7 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(example, { minLength: 1, maxLength: 9 }), async (examples) => {
        const params = {
          logits: tensor2d(
            examples.map(({ row }) => row),
            [examples.length, 7],
          ),
        };
        const batch = batchOf(...examples.map(({ label }) => label));
        const { labels, predicted } = await predictedClasses(task, params, asBatches(batch), 7);
        const { top1 } = await evaluate(task, params, asBatches(batch));
        disposeTree(params);
        expect([...labels]).toEqual([...batch.labels]);
        const hits = examples.filter((_, place) => predicted[place] === labels[place]).length;
        expect(top1).toBeCloseTo((100 * hits) / examples.length, 10);
        for (const [place, { row, label }] of examples.entries()) {
          const best = predicted[place] ?? -1;
          const higher = row.filter((value, k) => k !== label && value > (row[best] ?? 0));
          if (Number.isFinite(row[best])) expect(higher).toEqual([]);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('smooths its targets over all classes', async () => {
    const smooth = classification(table, { ...options, labelSmoothing: 0.35 });
    const logits = tensor2d(ascending, [1, 7]);
    const loss = tidyTree(() => smooth.loss({ logits }, batchOf(6)));
    const logSum = Math.log(ascending.reduce((sum, value) => sum + Math.exp(value), 0));
    const expected = ascending.reduce(
      (sum, value, k) => sum + (logSum - value) * (0.05 + (k === 6 ? 0.65 : 0)),
      0,
    );
    expect((await loss.data())[0]).toBeCloseTo(expected, 5);
  });

  it('is timed without leaving tensors', async () => {
    const params = { logits: tensor2d(ascending, [1, 7]) };
    const copying = classification(
      { forward: (lent: typeof params) => ({ logits: mul<Tensor2D>(lent.logits, 1) }) },
      options,
    );
    const before = memory().numTensors;
    const { p50Ms, p95Ms } = await measureLatency(copying, params, batchOf(1), { warmup: 1, runs: 9 });
    expect(p50Ms).toBeGreaterThan(0);
    expect(p95Ms).toBeGreaterThanOrEqual(p50Ms);
    expect(memory().numTensors).toBe(before);
    expect((await downloadTree(params)).size).toBe(1);
  });
});
