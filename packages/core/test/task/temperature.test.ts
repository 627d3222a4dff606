import { type Tensor, memory, tensor1d, tidy } from '@tensorflow/tfjs-core';
import {
  type BatchSource,
  type DualEncoderConfig,
  type DualEncoderParams,
  type Optimizer,
  type PairBatch,
  type TensorTree,
  constant,
  disposeTree,
  dualEncoder,
  initialize,
  only,
  randomStream,
  retrieval,
  sgd,
  train,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';

const block = { headDim: 2, hiddenDim: 5 };
const tower = {
  embedDim: 4,
  heads: 2,
  denseHeadDim: 2,
  activation: 'gelu',
  normEpsilon: 1e-5,
  blocks: [block],
} as const;
const config: DualEncoderConfig = {
  kind: 'dual-encoder',
  projectionDim: 3,
  vision: {
    imageSize: 2,
    patchSize: 1,
    channels: 1,
    distillation: 'none',
    embeddingNorm: true,
    patchBias: false,
    tower: { ...tower, causal: false },
  },
  text: { vocabulary: 5, context: 3, endToken: 4, tower: { ...tower, causal: true } },
};
const model = dualEncoder(config);
const task = retrieval(model, { imageSize: 2, channels: 1, endToken: 4 });
const random = randomStream(1, 'temperature');
const batch: PairBatch = {
  size: 2,
  images: Float32Array.from({ length: 8 }, () => random.normal()),
  imageGroups: Int32Array.of(0, 1),
  texts: 2,
  tokens: Int32Array.of(0, 1, 4, 2, 4, 4),
  textGroups: Int32Array.of(0, 1),
};
const batches: BatchSource<PairBatch> = { batchSize: 2, stepsPerEpoch: 1, at: () => Promise.resolve(batch) };

const paramsWith = (scale: number): DualEncoderParams => {
  const { logitScale, ...params } = initialize<DualEncoderParams>(model.specs, 1);
  logitScale.dispose();
  return { ...params, logitScale: tensor1d([Math.log(scale)]) };
};

/** e to the temperature after some steps from it, in which every other parameter hardly moves. */
async function trainedScale(
  start: number,
  steps: number,
  optimizer: Optimizer<DualEncoderParams> = sgd<DualEncoderParams>({ schedule: constant(1e-4) }),
): Promise<number> {
  const params = paramsWith(start);
  const objective = (params: DualEncoderParams) => ({ params });
  const trained = await train({ params, state: {}, task, objective, optimizer, batches, steps });
  const [logarithm = NaN] = await trained.params.logitScale.data();
  disposeTree([params, trained.params]);
  return Math.exp(logarithm);
}

describeOnEveryEngine('the temperature of a dual encoder', () => {
  it('is taken as it is where logits are computed', () => {
    const before = memory().numTensors;
    const logits = (scale: number) => {
      const params = paramsWith(scale);
      const values = tidy(() => [...task.predict(params, batch).logits.dataSync()]);
      disposeTree(params);
      return values;
    };
    const [at50, at200] = [logits(50), logits(200)];
    at200.forEach((logit, i) => expect(logit / (at50[i] ?? NaN)).toBeCloseTo(4, 3));
    expect(memory().numTensors).toBe(before);
  });

  it('comes down to 1/100 in training, wherever it stands in what is trained, and stays where nothing trains it', async () => {
    const before = memory().numTensors;
    expect(await trainedScale(200, 0)).toBeCloseTo(200, 3);
    expect(await trainedScale(200, 1)).toBeCloseTo(100, 3);
    expect(await trainedScale(50, 1)).toBeLessThan(51);
    const frozen = only<DualEncoderParams, TensorTree>(
      sgd<Record<string, Tensor>>({ schedule: constant(1e-4) }),
      (path) => path !== 'logitScale',
    );
    expect(await trainedScale(200, 1, frozen)).toBeCloseTo(200, 3);

    const weights = paramsWith(200);
    const trained = await train({
      params: { weights },
      state: {},
      task,
      objective: (tree) => ({ params: tree.weights }),
      optimizer: sgd<{ weights: DualEncoderParams }>({ schedule: constant(1e-4) }),
      batches,
      steps: 1,
    });
    expect(Math.exp((await trained.params.weights.logitScale.data())[0] ?? NaN)).toBeCloseTo(100, 3);
    disposeTree([weights, trained.params]);
    expect(memory().numTensors).toBe(before);
  });
});

test('a text without its end is an error', () => {
  const headless = { ...batch, tokens: Int32Array.of(0, 1, 4, 2, 1, 3) };
  const params = initialize<DualEncoderParams>(model.specs, 1);
  expect(() => tidy(() => task.predict(params, headless))).toThrow(
    /expected the end token 4 in every text, got none in text 1: 2 1 3/,
  );
  disposeTree(params);
});
