import { memory } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type ClipTextConfig,
  type DenseConfig,
  type HostTensors,
  anyModel,
  disposeTree,
  downloadTree,
  initialize,
  modelOf,
  type TensorTree,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { smallConfigs } from './random-model';
import { smallDualEncoders, smallTextConfigs } from './random-towers';

const configs: fc.Arbitrary<DenseConfig> = fc.oneof(
  smallConfigs,
  smallTextConfigs.map((text): ClipTextConfig => ({ kind: 'clip-text', projectionDim: 3, ...text })),
  smallDualEncoders,
);

describeOnEveryEngine('a model of any kind', () => {
  it('is made from its configuration and named tensors', async () => {
    await fc.assert(
      fc.asyncProperty(configs, async (config) => {
        const before = memory().numTensors;
        const described = modelOf(config);
        expect(described.config).toEqual(config);
        const params = initialize<TensorTree>(described.specs, 1);
        const tensors: HostTensors = await downloadTree(params);
        disposeTree(params);
        const made = anyModel(config, tensors);
        expect(made.kind).toBe(config.kind);
        expect(made.model.config).toEqual(config);
        expect(await downloadTree(made.params)).toEqual(tensors);
        disposeTree(made.params);
        expect(memory().numTensors).toBe(before);
        const incomplete = new Map([...tensors].slice(1));
        expect(() => anyModel(config, incomplete)).toThrow(/missing/);
      }),
      { numRuns: 15 },
    );
  });
});
