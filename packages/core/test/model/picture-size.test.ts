import { memory } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type Grid,
  type Resampling,
  anyModel,
  atImageSize,
  disposeTree,
  isSameSize,
  pictureSizeOf,
  downloadTree,
  initialize,
  modelOf,
  positionedTokens,
  resampleGrid,
  resizePictures,
  type TensorTree,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { smallConfigs } from './random-model';
import { smallTextConfigs } from './random-towers';

const resamplings: Resampling[] = ['bicubic', 'bicubic-antialias'];

// torch.nn.functional.interpolate(…, mode='bicubic', align_corners=False, antialias=…), PyTorch 2.13
describe('a grid', () => {
  const wide = Float32Array.from({ length: 6 }, (_, i) => (i * i) / 10); // 2 × 3
  const square = Float32Array.from({ length: 25 }, (_, i) => (i * 7) % 11);
  it.each<[Resampling, Float32Array, Grid, Grid, number[]]>([
    ['bicubic', wide, [2, 3], [3, 2], [-0.075985, 0.163224, 0.519531, 1.328125, 1.115047, 2.493025]],
    ['bicubic-antialias', wide, [2, 3], [3, 2], [-0.048486, 0.173108, 0.565891, 1.2561, 1.180267, 2.339092]],
    ['bicubic', wide, [2, 3], [1, 1], [0.85]],
    ['bicubic-antialias', wide, [2, 3], [1, 1], [0.91087]],
    ['bicubic', square, [5, 5], [2, 3], [4.191552, 4.335938, 5.833042, 5.15437, 7.171875, 2.044632]],
    [
      'bicubic-antialias',
      square,
      [5, 5],
      [2, 3],
      [3.585404, 5.210518, 6.357143, 4.532742, 4.576604, 4.413404],
    ],
  ])('is resampled as PyTorch does it: %s', (resampling, values, from, to, expected) => {
    const found = resampleGrid(values, { from, to, resampling });
    expect(found).toHaveLength(expected.length);
    expected.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 5));
  });

  it('stays the same at its own size, and constant where it is', () => {
    const side = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(side, side, side, side, fc.constantFrom(...resamplings), (h, w, H, W, resampling) => {
        const values = Float32Array.from({ length: h * w * 2 }, (_, i) => (i * 13) % 7);
        const same = resampleGrid(values, { from: [h, w], to: [h, w], resampling });
        same.forEach((value, i) => expect(value).toBeCloseTo(values[i] ?? NaN, 5));
        const flat = resampleGrid(
          values.map((_, i) => (i % 2) + 1),
          { from: [h, w], to: [H, W], resampling },
        );
        expect(flat).toHaveLength(H * W * 2);
        flat.forEach((value, i) => expect(value).toBeCloseTo((i % 2) + 1, 5));
      }),
    );
  });
});

describeOnEveryEngine('a vision model at another picture size', () => {
  const side = fc.integer({ min: 1, max: 4 });
  it('keeps all but the positions of its patches, and is itself at its own size', async () => {
    await fc.assert(
      fc.asyncProperty(smallConfigs, side, side, async (config, rows, columns) => {
        const imageSize = pictureSizeOf({
          height: rows * config.patchSize,
          width: columns * config.patchSize,
        });
        const before = memory().numTensors;
        const params = initialize<TensorTree>(modelOf(config).specs, 1);
        const values = await downloadTree(params);
        const own = anyModel(config, values);
        disposeTree(params);
        const resized = await resizePictures(own, imageSize, 'bicubic');
        expect(resized.model.config).toEqual({ ...config, imageSize });
        const after = await downloadTree(resized.params);
        for (const [path, tensor] of values) {
          if (path !== 'positions' || isSameSize(imageSize, config.imageSize))
            expect(after.get(path)).toEqual(tensor);
        }
        const D = config.tower.embedDim;
        const leading = positionedTokens(config);
        expect(after.get('positions')?.shape).toEqual([leading + rows * columns, D]);
        expect(after.get('positions')?.values.subarray(0, leading * D)).toEqual(
          values.get('positions')?.values.subarray(0, leading * D),
        );
        disposeTree(resized.params);
        expect(memory().numTensors).toBe(before);
      }),
      { numRuns: 10 },
    );
  });

  it('is refused where the patches do not fill it, or where there are no pictures', () => {
    fc.assert(
      fc.property(smallConfigs, (config) => {
        expect(() => atImageSize(config, config.patchSize + 0.5, 'bicubic')).toThrow(RangeError);
      }),
      { numRuns: 5 },
    );
    const [drawn] = fc.sample(smallTextConfigs, { numRuns: 1, seed: 1 });
    const text = { kind: 'clip-text', projectionDim: 3, ...drawn };
    expect(() => atImageSize(text, 4, 'bicubic')).toThrow('reads no pictures');
  });
});
