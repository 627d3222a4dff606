import { type Tensor2D, memory, tensor2d } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type BatchSource,
  type Labelled,
  type Model,
  type TensorTree,
  classification,
  constant,
  disposeTree,
  downloadTree,
  sgd,
  train,
  trainingBatches,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { regression, flatLine, points } from './regression';

type Head = { weight: Tensor2D };
interface Rows {
  readonly rows: Float32Array;
}
type Batch = Rows & Labelled;
const [D, K, STEPS] = [3, 4, 3];

const model: Pick<Model<Head, { x: Tensor2D }>, 'forward'> = {
  forward: ({ weight }, { x }) => ({ logits: x.matMul(weight) }),
};
const slices = {
  slice: (batch: Rows, from: number, to: number): Batch => ({
    ...emptyBatch,
    rows: batch.rows.subarray(from * D, to * D),
  }),
};
const emptyBatch: Batch = { size: 0, labels: new Int32Array(), rows: new Float32Array() };

function source(size: number, share: number): BatchSource<Batch> {
  return {
    batchSize: size,
    stepsPerEpoch: 1,
    at: (step) =>
      Promise.resolve({
        size,
        rows: Float32Array.from({ length: size * D }, (_, i) => Math.sin(3 * i + step)),
        labels: Int32Array.from({ length: size }, (_, i) => (i + step) % K),
        mixed: { labels: Int32Array.from({ length: size }, (_, i) => (2 * i) % K), share },
      }),
  };
}

async function trained(size: number, share: number, microBatches: number) {
  const weight = tensor2d(
    Float32Array.from({ length: D * K }, (_, i) => Math.cos(i)),
    [D, K],
  );
  const losses: number[] = [];
  const { params } = await train<Head, Head, TensorTree, Batch>(
    {
      params: { weight },
      state: {},
      task: classification<Head, Batch, { x: Tensor2D }>(model, {
        inputs: ({ rows }) => ({ x: tensor2d(rows, [rows.length / D, D]) }),
        classes: K,
        labelSmoothing: 0.1,
        ...slices,
      }),
      objective: (params) => ({ params, penalty: () => params.weight.square().sum() }),
      optimizer: sgd<Head>({ schedule: constant(0.1), momentum: 0.9 }),
      batches: source(size, share),
      steps: STEPS,
      microBatches,
    },
    { onStep: ({ loss }) => losses.push(loss) },
  );
  const values = [...((await downloadTree(params)).get('weight')?.values ?? [])];
  disposeTree([params, { weight }]);
  return [...losses, ...values];
}

describeOnEveryEngine('a batch in parts', () => {
  it('makes the step of the whole, mixed labels and penalties and all, and keeps nothing', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 2, max: 9 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (size, parts, share) => {
          const before = memory().numTensors;
          const whole = await trained(size, share, 1);
          const inParts = await trained(size, share, parts);
          expect(memory().numTensors).toBe(before);
          expect(inParts).toHaveLength(whole.length);
          inParts.forEach((value, index) => expect(value).toBeCloseTo(whole[index] ?? Number.NaN, 4));
        },
      ),
      { numRuns: 10 },
    ));

  it('is refused where the loss compares examples', async () => {
    const line = flatLine();
    const training = {
      params: line,
      state: {},
      task: regression,
      objective: (params: typeof line) => ({ params }),
      optimizer: sgd<typeof line>({ schedule: constant(0.1) }),
      batches: trainingBatches(points, { batchSize: 8, seed: 1, augment: false }),
      steps: 1,
      microBatches: 2,
    };
    await expect(train(training)).rejects.toThrow(/the loss of regression is not computed in parts/);
    disposeTree(line);
  });
});
