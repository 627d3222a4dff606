import { memory } from '@tensorflow/tfjs-core';
import {
  type TensorTree,
  adamw,
  classification,
  constant,
  disposeTree,
  downloadTree,
  initialize,
  pictureInputs,
  randomStream,
  train,
  trainingBatches,
  visionTransformer,
  visionTransformerConfig,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';

describeOnEveryEngine('training a transformer twice with one seed', () => {
  it('gives the same bytes, and another seed gives others', async () => {
    const before = memory().numTensors;
    const config = visionTransformerConfig('nano', { imageSize: 8, patchSize: 4, classes: 3 });
    const model = visionTransformer({
      ...config,
      tower: { ...config.tower, embedDim: 24, blocks: [{ headDim: 8, hiddenDim: 48 }] },
    });
    const pixels = 8 * 8 * 3;
    const pictures = {
      size: 16,
      batch: (indices: readonly number[]) => {
        const images = new Float32Array(indices.length * pixels);
        indices.forEach((index, position) => {
          const random = randomStream(3, 'picture', index);
          for (let i = 0; i < pixels; i++) images[position * pixels + i] = random.normal();
        });
        return Promise.resolve({
          size: indices.length,
          images,
          labels: Int32Array.from(indices, (i) => i % 3),
        });
      },
    };
    const bytesAfter = async (seed: number) => {
      const params = initialize<TensorTree>(model.specs, seed);
      const inputs = pictureInputs({ imageSize: 8, channels: 3 });
      const task = classification(model, { inputs, classes: 3, labelSmoothing: 0.1 });
      const trained = await train({
        params,
        state: {},
        task,
        objective: (tree: TensorTree) => ({ params: tree }),
        optimizer: adamw({ schedule: constant(1e-3), weightDecay: 0.05 }),
        batches: trainingBatches(pictures, { batchSize: 8, seed, augment: false }),
        steps: 4,
      });
      const host = await downloadTree(trained.params);
      disposeTree(params);
      disposeTree(trained.params);
      return host;
    };
    const first = await bytesAfter(1);
    expect(await bytesAfter(1)).toEqual(first);
    expect(await bytesAfter(2)).not.toEqual(first);
    expect(memory().numTensors).toBe(before);
  });
});
