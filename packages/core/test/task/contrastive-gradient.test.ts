import { type Tensor, grads, memory, tensor1d, tidy } from '@tensorflow/tfjs-core';
import {
  type DualEncoderConfig,
  type DualEncoderParams,
  type PairBatch,
  buildTree,
  disposeTree,
  dualEncoder,
  entriesOf,
  initialize,
  leavesOf,
  randomStream,
  retrieval,
  sizeOf,
  withLeaves,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { plainSimilarities } from '../model/plain-towers';
import { deviations } from '../operations/gradient-check';
import { plainCrossEntropy, plainSigmoidCrossEntropy } from '../operations/plain';

/** Towers of different widths; the last block of the text tower is cut. */
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
    tower: {
      embedDim: 4,
      heads: 1,
      denseHeadDim: 2,
      activation: 'quick-gelu',
      causal: false,
      normEpsilon: 1e-5,
      blocks: [{ headDim: 2, hiddenDim: 3 }],
    },
  },
  text: {
    vocabulary: 6,
    context: 4,
    endToken: 5,
    tower: {
      embedDim: 6,
      heads: 2,
      denseHeadDim: 2,
      activation: 'quick-gelu',
      causal: true,
      normEpsilon: 1e-5,
      blocks: [
        { headDim: 2, hiddenDim: 3 },
        { headDim: 1, hiddenDim: 2 },
      ],
    },
  },
};

const texts = [
  [0, 3, 5, 5],
  [0, 1, 2, 5],
  [0, 3, 3, 5],
];
const random = randomStream(4, 'contrastive');
const pixels = Array.from({ length: 3 * 4 }, () => random.normal());
const batch: PairBatch = {
  size: 3,
  images: Float32Array.from(pixels),
  imageGroups: Int32Array.of(0, 1, 2),
  texts: 3,
  tokens: Int32Array.from(texts.flat()),
  textGroups: Int32Array.of(0, 1, 2),
};
const eye = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** As SigLIP: no class token, attention pooling, texts read at their last place by every token, a bias of the logits. */
const pairwise: DualEncoderConfig = {
  ...config,
  projectionDim: 4,
  projections: 'text-alone',
  loss: 'sigmoid',
  vision: {
    ...config.vision,
    classToken: false,
    embeddingNorm: false,
    patchBias: true,
    tower: { ...config.vision.tower, activation: 'gelu-tanh' },
    attentionPool: { headDim: 3, hiddenDim: 2 },
  },
  text: {
    ...config.text,
    endToken: 'last',
    tower: { ...config.text.tower, activation: 'gelu-tanh', causal: false },
  },
};

const plainLosses = {
  contrastive: (logits: number[][]): number => {
    const transposed = logits.map((_, column) => logits.map((row) => row[column] ?? Number.NaN));
    const lossOf = (rows: number[][]) => plainCrossEntropy(3, eye)(rows.flat())[0] ?? Number.NaN;
    return (lossOf(logits) + lossOf(transposed)) / 2;
  },
  sigmoid: (logits: number[][]): number => plainSigmoidCrossEntropy(3, eye)(logits.flat())[0] ?? Number.NaN,
};

describeOnEveryEngine('the contrastive loss of a dual encoder', () => {
  it.each([
    ['contrastive', config],
    ['sigmoid', pairwise],
  ] as const)('has the right gradient with respect to every parameter: %s', (name, config) => {
    const model = dualEncoder(config);
    const task = retrieval(model, { imageSize: 2, channels: 1, loss: config.loss });
    const paths = entriesOf(model.specs).map(([path]) => path);
    const inputs = leavesOf(model.specs).map(({ shape }, index) => ({
      shape,
      values: Array.from({ length: sizeOf({ shape }) }, () =>
        paths[index] === 'logitScale' ? 0.7 : Math.fround(0.6 * random.normal()),
      ),
    }));
    const like = initialize<DualEncoderParams>(model.specs, 1);
    const { forward, gradient } = deviations(
      (...leaves: Tensor[]) => task.loss(task.predict(withLeaves(like, leaves), batch), batch),
      (...leaves) => {
        let next = 0;
        const params = buildTree<
          { shape: readonly number[] },
          DualEncoderParams<readonly number[], readonly number[]>
        >(model.specs, () => leaves[next++]);
        const pictures = [0, 1, 2].map((i) => pixels.slice(4 * i, 4 * i + 4).map(Math.fround));
        const logits = plainSimilarities(config, params, pictures, texts);
        return [plainLosses[name](logits)];
      },
      inputs,
      randomStream(5, 'weights'),
    );
    disposeTree(like);
    expect(forward).toBeLessThan(1e-5);
    expect(gradient).toBeLessThan(2e-5);
  });

  it('reaches only tokens that the batch has, and a temperature beyond the bound of training', () => {
    const model = dualEncoder(config);
    const task = retrieval(model, { imageSize: 2, channels: 1 });
    const before = memory().numTensors;
    const initial = initialize<DualEncoderParams>(model.specs, 1);
    const params = { ...initial, logitScale: tensor1d([Math.log(101)]) };
    const paths = entriesOf(params).map(([path]) => path);
    const leaves = tidy(() =>
      grads((...leaves: Tensor[]) => task.loss(task.predict(withLeaves(params, leaves), batch), batch))(
        leavesOf(params),
      ),
    );
    const gradients = new Map(leaves.map((leaf, index) => [paths[index], [...leaf.dataSync()]]));
    disposeTree(leaves);
    disposeTree([initial, params.logitScale]);
    expect(memory().numTensors).toBe(before);
    expect(Math.abs(gradients.get('logitScale')?.[0] ?? 0)).toBeGreaterThan(1e-3);
    const rows = [0, 1, 2, 3, 4, 5].map((row) =>
      gradients.get('text.tokenEmbedding')?.slice(6 * row, 6 * row + 6),
    );
    // No text has token 4.
    expect(rows.map((row) => row?.some((value) => value !== 0))).toEqual([
      true,
      true,
      true,
      true,
      false,
      true,
    ]);
  });
});
